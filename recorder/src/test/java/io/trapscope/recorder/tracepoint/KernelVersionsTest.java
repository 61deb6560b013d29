package io.trapscope.recorder.tracepoint;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Every field of the tracepoints whose formats changed between versions of Linux. */
class KernelVersionsTest {
  private static final long INTR = 0x8000_0b0eL; // valid, error code, hardware exception, #PF
  private static final long VECTORING = 0x8000_0030L; // valid, external interrupt, vector 0x30

  static List<String> versions() {
    return Kernel.VERSIONS;
  }

  private static boolean isOld(String version) {
    return version.equals("4.8") || version.equals("5.2");
  }

  private static String end(Kernel kernel) {
    kernel.joiner.finish();
    List<String> lines = kernel.events();
    assertThat(lines).hasSize(1);
    return lines.get(0);
  }

  @ParameterizedTest
  @MethodSource("versions")
  void everyFieldOfAnExitOnVmx(String version) {
    Kernel kernel = new Kernel(version);
    kernel.fire(100, "kvm_entry", "vcpu_id", 5, "rip", 0x7000);
    kernel.fire(
        350,
        "kvm_exit",
        "exit_reason",
        0,
        "guest_rip",
        0xffff_ffff_8100_0123L,
        "isa",
        1,
        "info1",
        0x7fff_1234_5678L,
        // Before 5.10 this is the interruption information, since then the IDT-vectoring one.
        "info2",
        isOld(version) ? INTR : VECTORING,
        "intr_info",
        INTR,
        "error_code",
        6,
        "vcpu_id",
        5,
        "requests",
        0x40);
    kernel.fire(400, "kvm_entry", "vcpu_id", 5);
    assertThat(end(kernel))
        .isEqualTo(
            "EXCEPTION@350 guest_ns=250 rip=0xffffffff81000123 reason=EXCEPTION_OR_NMI vector=14"
                + (isOld(version) ? "" : " error_code=0x6")
                + " fault_address=0x7fff12345678 kernel_ns=50 exit_code=0x0 isa=VMX"
                + " exit_info1=0x7fff12345678 intr_info=0x80000b0e"
                + (isOld(version) ? "" : " vectoring_info=0x80000030")
                + (version.equals("6.18") ? " requests=0x40" : ""));
    assertThat(kernel.joiner.vcpu()).isEqualTo(5);
  }

  @ParameterizedTest
  @MethodSource("versions")
  void everyFieldOfAnExitOnSvm(String version) {
    Kernel kernel = new Kernel(version);
    kernel.fire(100, "kvm_entry", "vcpu_id", 5);
    kernel.fire(
        350,
        "kvm_exit",
        "exit_reason",
        0x400,
        "guest_rip",
        0x1234,
        "isa",
        2,
        "info1",
        0x1_0000_0006L,
        "info2",
        0x12_3456_7890L,
        "intr_info",
        VECTORING,
        "error_code",
        0,
        "vcpu_id",
        5,
        "requests",
        0);
    kernel.fire(
        360,
        "kvm_page_fault",
        "vcpu_id",
        5,
        "guest_rip",
        0x1234,
        "fault_address",
        0x12_3456_7890L,
        "error_code",
        0x1_0000_0006L);
    kernel.fire(400, "kvm_entry", "vcpu_id", 5);
    assertThat(end(kernel))
        .isEqualTo(
            "EPT_FAULT@350 guest_ns=250 rip=0x1234 reason=EPT_VIOLATION gpa=0x1234567890"
                + " qualification=0x2 kernel_ns=50 exit_code=0x400 isa=SVM exit_info1=0x100000006"
                + (isOld(version) ? "" : " vectoring_info=0x80000030")
                + " exit_info2=0x1234567890"
                + (version.equals("6.18") ? " requests=0x0" : ""));
  }

  @ParameterizedTest
  @MethodSource("versions")
  void otherTracepointsThatChanged(String version) {
    Kernel kernel = new Kernel(version);
    kernel.fire(1, "kvm_inj_virq", "irq", 0x31, "vector", 0x31, "soft", 1, "reinjected", 1);
    kernel.fire(
        2,
        "kvm_inj_exception",
        "exception",
        13,
        "has_error",
        1,
        "error_code",
        0x18,
        "reinjected",
        1);
    kernel.fire(3, "kvm_inj_exception", "exception", 6, "has_error", 0, "error_code", 99);
    kernel.fire(4, "kvm_apic", "rw", 1, "reg", 0x380, "val", 0xffff_fffeL);
    kernel.fire(5, "kvm_cpuid", "function", 7, "index", 1, "rax", 2, "rbx", 3, "rcx", 4, "rdx", 5);
    kernel.joiner.finish();
    String again = version.equals("6.18") ? " reinjected=true" : " reinjected=false";
    assertThat(kernel.events())
        .containsExactly(
            "INJECTION@1 interruption_type="
                + (version.equals("6.18") ? "SOFTWARE_INTERRUPT" : "EXTERNAL_INTERRUPT")
                + " vector=49"
                + again,
            "INJECTION@2 interruption_type=HARDWARE_EXCEPTION vector=13 error_code=0x18" + again,
            "INJECTION@3 interruption_type=HARDWARE_EXCEPTION vector=6 reinjected=false",
            "APIC_ACCESS@4 direction=WRITE apic_register=0x380 value=0xfffffffe",
            "CPUID@5 reason=CPUID leaf=0x7"
                + (isOld(version) ? "" : " subleaf=0x1")
                + " eax=0x2 ebx=0x3 ecx=0x4 edx=0x5");
  }

  @Test
  void theRestOfTheTable() {
    Kernel kernel = new Kernel("6.18");
    kernel.fire(1, "kvm_halt_poll_ns", "grow", 1, "vcpu_id", 0, "new", 20_000, "old", 10_000);
    kernel.fire(2, "kvm_vcpu_wakeup", "ns", 5_000_000_000L, "waited", 1, "valid", 1);
    kernel.fire(3, "kvm_mmu_set_spte", "gfn", 0x123, "spte", 0x8_7654_3007L, "level", 1);
    kernel.fire(4, "kvm_mmu_spte_requested", "gfn", 0x200, "pfn", 0x777, "level", 2);
    kernel.fire(
        5,
        "kvm_tdp_mmu_spte_changed",
        "gfn",
        0x200,
        "old_spte",
        0,
        "new_spte",
        0x7_7700_0007L,
        "level",
        2);
    kernel.fire(
        6,
        "fast_page_fault",
        "vcpu_id",
        0,
        "cr2_or_gpa",
        0x5678,
        "error_code",
        2,
        "old_spte",
        1,
        "new_spte",
        0x3003,
        "ret",
        5);
    kernel.fire(7, "handle_mmio_page_fault", "addr", 0xe000_0010L, "gfn", 0xe0000, "access", 7);
    kernel.fire(8, "mark_mmio_spte", "sptep", 0, "gfn", 0xe0000, "access", 7, "gen", 3);
    kernel.fire(9, "kvm_mmu_split_huge_page", "gfn", 0x400, "spte", 0, "level", 2, "errno", -12);
    kernel.fire(10, "kvm_mmu_get_page", "gfn", 0x500, "role", 0x1234_5673, "created", 1);
    kernel.fire(11, "kvm_mmu_prepare_zap_page", "gfn", 0x500, "role", 0x1234_5673);
    byte[] popcnt = {(byte) 0xf3, 0x0f, (byte) 0xb8, (byte) 0xc1};
    kernel.fire(
        12,
        "kvm_emulate_insn",
        "rip",
        0x8000,
        "csbase",
        0,
        "len",
        4,
        "insn",
        popcnt,
        "flags",
        9,
        "failed",
        1);
    kernel.fire(13, "kvm_fast_mmio", "gpa", 0xd000_0050L);
    kernel.fire(14, "kvm_cr", "rw", 1, "cr", 4, "val", 0x20);
    kernel.fire(15, "kvm_hypercall", "nr", 9, "a0", 1, "a1", 2, "a2", 3, "a3", 4);
    kernel.fire(16, "kvm_msr", "write", 0, "ecx", 0x174, "data", 0, "exception", 1);
    kernel.joiner.finish();
    assertThat(kernel.events())
        .containsExactly(
            "HALT_POLL@1 poll_ns=20000 old_poll_ns=10000",
            "WAKEUP@2 waited=true wait_ns=5000000000",
            "MMU@3 mmu_action=SET_ENTRY ept_level=1 gpa=0x123000 hpa=0x876543000"
                + " new_entry=0x876543007",
            "MMU@4 mmu_action=MAP ept_level=2 gpa=0x200000 hpa=0x777000",
            "MMU@5 mmu_action=CHANGE_ENTRY ept_level=2 gpa=0x200000 hpa=0x777000000 old_entry=0x0"
                + " new_entry=0x777000007",
            "MMU@6 mmu_action=FAST_FAULT outcome=0x5 gpa=0x5678 hpa=0x3000 old_entry=0x1"
                + " new_entry=0x3003 error_code=0x2",
            "MMU@7 mmu_action=MMIO_FAULT gpa=0xe0000000",
            "MMU@8 mmu_action=MARK_MMIO gpa=0xe0000000",
            "MMU@9 mmu_action=SPLIT ept_level=2 outcome=0xfffffff4 gpa=0x400000 new_entry=0x0",
            "MMU@10 mmu_action=GET_TABLE ept_level=3 outcome=0x1 gpa=0x500000",
            "MMU@11 mmu_action=ZAP_TABLE ept_level=3 gpa=0x500000",
            "EMULATION@12 rip=0x8000 mode=LONG emulator=KVM failed=true code_base=0x0"
                + " data=f30fb8c1",
            "MMIO@13 reason=EPT_MISCONFIGURATION direction=WRITE gpa=0xd0000050",
            "CR_ACCESS@14 reason=CR_ACCESS control_register=4 qualification=0x4 value=0x20",
            "HYPERCALL@15 reason=VMCALL hypercall=9 arg0=0x1 arg1=0x2 arg2=0x3 arg3=0x4",
            "MSR@16 reason=RDMSR direction=READ fault=true msr=0x174 value=0x0");
  }

  /** isa, exit code, info1, info2, interruption word, and the event without what all exits have. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          1 | 30 | 0x03f80008 | 0 | 0 | PIO reason=IO_INSTRUCTION direction=READ size=1 port=0x3f8
          1 | 30 | 0x00600003 | 0 | 0 | PIO reason=IO_INSTRUCTION direction=WRITE size=4 port=0x60
          1 | 28 | 0x00000300 | 0 | 0 | CR_ACCESS reason=CR_ACCESS control_register=0 qualification=0x300
          1 | 28 | 0x00000013 | 0 | 0 | CR_ACCESS reason=CR_ACCESS control_register=3 qualification=0x13
          1 | 31 | 0 | 0 | 0 | MSR reason=RDMSR direction=READ
          1 | 32 | 0 | 0 | 0 | MSR reason=WRMSR direction=WRITE
          1 | 48 | 0x184 | 0 | 0 | EPT_FAULT reason=EPT_VIOLATION qualification=0x184
          1 | 0 | 0 | 0 | 0x80000202 | EXCEPTION reason=EXCEPTION_OR_NMI vector=2
          1 | 0x80000021 | 0 | 0 | 0 | EXIT reason=ENTRY_FAILURE_GUEST_STATE qualification=0x0
          1 | 44 | 0x10b0 | 0 | 0 | EXIT reason=APIC_ACCESS qualification=0x10b0
          1 | 999 | 0 | 0 | 0 | EXIT reason=UNKNOWN qualification=0x0
          2 | 0x00 | 0x8000000000000005 | 0 | 0 | CR_ACCESS reason=CR_ACCESS control_register=0 qualification=0x510
          2 | 0x14 | 0 | 0 | 0 | CR_ACCESS reason=CR_ACCESS control_register=4 qualification=0x4
          2 | 0x65 | 0 | 0 | 0 | CR_ACCESS reason=CR_ACCESS control_register=0 qualification=0x0
          2 | 0x98 | 0 | 0 | 0 | CR_ACCESS reason=CR_ACCESS control_register=8 qualification=0x8
          2 | 0x37 | 0 | 0 | 0 | EXIT reason=MOV_DR
          2 | 0x4e | 0x6 | 0xdead000 | 0 | EXCEPTION reason=EXCEPTION_OR_NMI vector=14 error_code=0x6 fault_address=0xdead000
          2 | 0x46 | 0 | 0 | 0 | EXCEPTION reason=EXCEPTION_OR_NMI vector=6
          2 | 0x60 | 0 | 0 | 0 | EXIT reason=EXTERNAL_INTERRUPT
          2 | 0x61 | 0 | 0 | 0 | EXCEPTION reason=EXCEPTION_OR_NMI vector=2
          2 | 0x64 | 0 | 0 | 0 | EXIT reason=INTERRUPT_WINDOW
          2 | 0x70 | 0 | 0 | 0 | EXIT reason=PUSHF
          2 | 0x72 | 0 | 0 | 0 | CPUID reason=CPUID
          2 | 0x78 | 0 | 0 | 0 | HLT reason=HLT
          2 | 0x7b | 0x03f80011 | 0x1002 | 0 | PIO reason=IO_INSTRUCTION direction=READ size=1 port=0x3f8
          2 | 0x7b | 0x00600040 | 0x1002 | 0 | PIO reason=IO_INSTRUCTION direction=WRITE size=4 port=0x60
          2 | 0x7c | 0 | 0 | 0 | MSR reason=RDMSR direction=READ
          2 | 0x7c | 1 | 0 | 0 | MSR reason=WRMSR direction=WRITE
          2 | 0x7f | 0 | 0 | 0 | EXIT reason=TRIPLE_FAULT
          2 | 0x81 | 0 | 0 | 0 | HYPERCALL reason=VMCALL
          2 | 0x8d | 0 | 0 | 0 | EXIT reason=XSETBV
          2 | 0x8f | 0 | 0 | 0 | EXIT reason=EFER_WRITE
          2 | 0xa2 | 0 | 0 | 0 | EXIT reason=INVPCID
          2 | 0xa6 | 0 | 0 | 0 | HLT reason=HLT
          2 | 0x400 | 0x14 | 0x7000 | 0 | EPT_FAULT reason=EPT_VIOLATION gpa=0x7000 qualification=0x4
          2 | 0x400 | 0x5 | 0x7000 | 0 | EPT_FAULT reason=EPT_VIOLATION gpa=0x7000 qualification=0x9
          2 | 0x402 | 0 | 0 | 0 | EXIT reason=AVIC_UNACCELERATED_ACCESS
          2 | 0x80000010 | 0 | 0 | 0 | EXIT reason=VMGEXIT
          2 | 0xffffffff | 0 | 0 | 0 | EXIT reason=ENTRY_FAILURE_GUEST_STATE
          2 | 0x3ff | 0 | 0 | 0 | EXIT reason=UNKNOWN
          """)
  void infoWordsAreUnderstood(
      int isa, String code, String info1, String info2, String intr, String expected) {
    Kernel kernel = new Kernel("6.18");
    kernel.fire(
        9,
        "kvm_exit",
        "exit_reason",
        Long.decode(code),
        "isa",
        isa,
        "info1",
        new java.math.BigInteger(info1.replace("0x", ""), info1.startsWith("0x") ? 16 : 10)
            .longValue(),
        "info2",
        Long.decode(info2),
        "intr_info",
        Long.decode(intr));
    assertThat(end(kernel).replace("@9 rip=0x0", "").replaceAll(" exit_code=.*", ""))
        .isEqualTo(expected);
  }

  @Test
  void aKernelMayLackAnyOfTheTracepoints() {
    Map<String, TracepointFormat> old = Kernel.formats("4.8");
    assertThat(old).doesNotContainKey("kvm_mmu_spte_requested");
    Tracepoint without =
        new Tracepoint(
            KvmTracepoint.EXIT,
            TracepointFormat.parse(
                "name: kvm_exit\nID: 7\n"
                    + "\tfield:unsigned int exit_reason;\toffset:8;\tsize:4;\tsigned:0;\n"));
    Kernel kernel = new Kernel("4.8");
    java.nio.ByteBuffer raw =
        java.nio.ByteBuffer.allocate(32).order(java.nio.ByteOrder.LITTLE_ENDIAN).putInt(8, 12);
    kernel.joiner.accept(without, raw, 0, 16, 5);
    assertThat(end(kernel)).startsWith("HLT@5 rip=0x0 reason=HLT exit_code=0xc isa=0");
  }
}
