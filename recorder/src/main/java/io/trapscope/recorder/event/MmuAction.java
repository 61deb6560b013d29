package io.trapscope.recorder.event;

/**
 * What KVM's MMU did, by the tracepoint that tells it. Codes are one unsigned byte in a trace and
 * are never reused.
 */
public enum MmuAction {
  /** An entry was set (kvm_mmu_set_spte). */
  SET_ENTRY(1),
  /** A fault is about to map a host page (kvm_mmu_spte_requested). */
  MAP(2),
  /** An entry of the TDP MMU changed (kvm_tdp_mmu_spte_changed). */
  CHANGE_ENTRY(3),
  /** A fault was resolved without locks, or found resolved (fast_page_fault). */
  FAST_FAULT(4),
  /** An access to memory-mapped I/O was recognized by its entry (handle_mmio_page_fault). */
  MMIO_FAULT(5),
  /** An entry was made to recognize memory-mapped I/O by (mark_mmio_spte). */
  MARK_MMIO(6),
  /** A large page was split (kvm_mmu_split_huge_page). */
  SPLIT(7),
  /** A page of tables was taken into use (kvm_mmu_get_page). */
  GET_TABLE(8),
  /** A page of tables is about to go (kvm_mmu_prepare_zap_page). */
  ZAP_TABLE(9);

  private final int code;

  MmuAction(int code) {
    this.code = code;
  }

  /** The code in a trace. */
  public int code() {
    return code;
  }

  /** The constant with this code, or null where there is none. */
  public static MmuAction of(int code) {
    return code >= 1 && code <= values().length ? values()[code - 1] : null;
  }
}
