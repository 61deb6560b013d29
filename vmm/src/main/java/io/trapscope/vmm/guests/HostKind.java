package io.trapscope.vmm.guests;

/** Where a guest runs, as far as it makes a difference to which exits it can cause and show. */
public enum HostKind {
  /** The processor in Java: every exit is seen. */
  SOFT("soft"),
  /** KVM on VT-x or SVM. */
  KVM("kvm"),
  /** The para-virtual KVM, which cannot do all that a guest's kernel may ask of it. */
  KVM_PVM("kvm_pvm");

  private final String column;

  HostKind(String column) {
    this.column = column;
  }

  /** Name of the column in a guest's table. */
  public String column() {
    return column;
  }

  /**
   * The kind for a back end.
   *
   * @param backEnd its name: {@code soft} or {@code kvm}
   * @param paravirtual whether KVM is the para-virtual one
   */
  public static HostKind of(String backEnd, boolean paravirtual) {
    if (!backEnd.equals("kvm")) {
      return SOFT;
    }
    return paravirtual ? KVM_PVM : KVM;
  }
}
