package io.trapscope.recorder.tracepoint;

import static org.assertj.core.api.Assertions.assertThat;

import io.trapscope.recorder.event.EventLog;
import io.trapscope.recorder.event.EventType;
import io.trapscope.recorder.event.EventWriter;
import io.trapscope.recorder.event.ExitReason;
import io.trapscope.recorder.event.Field;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** One event an exit, with kernel time and user-space time apart, whatever the kernel tells. */
class ExitJoinerTest {
  private final Kernel kernel = new Kernel("6.18");

  private Kernel entry(long nanos) {
    return kernel.fire(nanos, "kvm_entry", "vcpu_id", 3, "rip", 0x1000);
  }

  private Kernel exit(long nanos, int reason) {
    return kernel.fire(
        nanos, "kvm_exit", "exit_reason", reason, "guest_rip", 0x1000, "isa", 1, "vcpu_id", 3);
  }

  private Kernel userspace(long nanos, int reason) {
    return kernel.fire(nanos, "kvm_userspace_exit", "reason", reason);
  }

  private Kernel pio(long nanos, int write, int port) {
    return kernel.fire(
        nanos, "kvm_pio", "rw", write, "port", port, "size", 1, "count", 1, "val", 0x41);
  }

  private Kernel mmio(long nanos, int type, long gpa) {
    return kernel.fire(nanos, "kvm_mmio", "type", type, "len", 4, "gpa", gpa, "val", 7);
  }

  private List<String> end() {
    kernel.joiner.finish();
    return kernel.events();
  }

  @Test
  void anExitInTheKernelHasItsGuestTimeAndItsKernelTime() {
    entry(1000);
    exit(1500, 10);
    kernel.fire(
        1510,
        "kvm_cpuid",
        "function",
        0x8000_0008,
        "index",
        2,
        "rax",
        0xa,
        "rbx",
        0xb,
        "rcx",
        0xc,
        "rdx",
        0xd);
    entry(1700);
    assertThat(end())
        .containsExactly(
            "CPUID@1500 guest_ns=500 rip=0x1000 reason=CPUID leaf=0x80000008 subleaf=0x2 eax=0xa"
                + " ebx=0xb ecx=0xc edx=0xd kernel_ns=200 exit_code=0xa isa=VMX exit_info1=0x0"
                + " requests=0x0");
    assertThat(kernel.joiner.vcpu()).isEqualTo(3);
  }

  @Test
  void anExitToUserSpaceHasBothTimesApart() {
    entry(1000);
    exit(1500, 30);
    pio(1520, 1, 0x3f8);
    userspace(1600, 2);
    entry(9000);
    assertThat(end())
        .containsExactly(
            "PIO@1500 guest_ns=500 rip=0x1000 reason=IO_INSTRUCTION kvm_exit=IO direction=WRITE"
                + " size=1 port=0x3f8 count=1 value=0x41 kernel_ns=100 exit_code=0x1e isa=VMX"
                + " exit_info1=0x0 user_ns=7400 requests=0x0");
  }

  @Test
  void aReadsValueComesAfterUserSpace() {
    entry(1000);
    exit(1500, 30);
    userspace(1600, 2);
    pio(5000, 0, 0x60);
    entry(5100);
    exit(6000, 49);
    mmio(6010, 0, 0xe000_0000L);
    userspace(6100, 6);
    mmio(8100, 1, 0xe000_0000L);
    entry(8200);
    assertThat(end())
        .containsExactly(
            "PIO@1500 guest_ns=500 rip=0x1000 reason=IO_INSTRUCTION kvm_exit=IO direction=READ"
                + " size=1 port=0x60 count=1 value=0x41 kernel_ns=100 exit_code=0x1e isa=VMX"
                + " exit_info1=0x0 user_ns=3400 requests=0x0",
            "MMIO@6000 guest_ns=900 rip=0x1000 reason=EPT_MISCONFIGURATION kvm_exit=MMIO"
                + " direction=READ size=4 gpa=0xe0000000 value=0x7 kernel_ns=100 exit_code=0x31"
                + " isa=VMX exit_info1=0x0 user_ns=2000 requests=0x0");
  }

  @Test
  void stringIoIsAnEventEachAccess() {
    entry(1000);
    exit(1500, 30);
    pio(1510, 1, 0x3f8);
    userspace(1600, 2);
    pio(2000, 1, 0x3f8);
    userspace(2100, 2);
    entry(3000);
    assertThat(end())
        .extracting(line -> line.replaceAll(" rip.*direction", " ... direction"))
        .containsExactly(
            "PIO@1500 guest_ns=500 ... direction=WRITE size=1 port=0x3f8 count=1 value=0x41"
                + " kernel_ns=100 exit_code=0x1e isa=VMX exit_info1=0x0 requests=0x0",
            "PIO@2000 reason=IO_INSTRUCTION kvm_exit=IO direction=WRITE size=1 port=0x3f8 count=1"
                + " value=0x41 kernel_ns=100 user_ns=900");
  }

  @Test
  void aFaultThatSomebodyElseResolvesAddsToTheKernelsOwnEventOfIt() {
    entry(1000);
    exit(1500, 48);
    kernel.fire(1510, "kvm_page_fault", "fault_address", 0x5008, "error_code", 0x182);
    assertThat(kernel.joiner.faulted(0x6000, 1600)).isFalse();
    assertThat(kernel.joiner.faulted(0x5000, 1600)).isTrue();
    kernel.joiner.resolved(0x7f00_0000_5000L, true, 70);
    assertThat(kernel.joiner.faulted(0x5000, 1600)).as("a second time").isFalse();
    entry(1700);
    assertThat(end())
        .singleElement()
        .asString()
        .startsWith("EPT_FAULT@1500 guest_ns=500")
        .contains("device_ns=70")
        .contains("first_touch=true gpa=0x5008 hva=0x7f0000005000")
        .contains("kernel_ns=130");
  }

  @Test
  void whoResolvesAFaultMayGoOnAfterTheGuest() {
    entry(1000);
    exit(1500, 48);
    kernel.fire(1510, "kvm_page_fault", "fault_address", 0x5008, "error_code", 0x182);
    assertThat(kernel.joiner.faulted(0x5000, 1600)).isTrue();
    kernel.joiner.resolved(0x7f00_0000_5000L, true, 250);
    entry(1700);
    assertThat(end()).singleElement().asString().contains("device_ns=250", "kernel_ns=0");
  }

  /** A fault that the kernel has no word of: seen then, and resolved by 10 ns later. */
  private void fault(long gpa, long before) {
    assertThat(kernel.joiner.faulted(gpa, before)).isFalse();
    FieldValues values = new FieldValues().set(Field.GPA, gpa).set(Field.DEVICE_TIME, 5);
    kernel.joiner.fault(values, before, before + 10);
  }

  @Test
  void aFaultWithoutAWordOfTheKernelEndsWhatCanOnlyBeOver() {
    pio(1000, 1, 0x80);
    fault(0x5000, 1500);
    assertThat(kernel.events())
        .hasSize(2)
        .first()
        .asString()
        .startsWith("PIO@1000 reason=IO_INSTRUCTION");
    fault(0x6000, 1600);
    assertThat(kernel.events())
        .containsExactly("EPT_FAULT@1600 dispatch_ns=10 device_ns=5 gpa=0x6000");
  }

  @Test
  void aCallOutThatUserSpaceHasNoEventOfIsBeforeTheFaultThatFollowsIt() {
    kernel.fire(1000, "kvm_userspace_exit", "reason", 0, "errno", -4);
    kernel.fire(1400, "kvm_mmu_set_spte", "gfn", 5, "spte", 0x8000_0000_0000_5067L, "level", 1);
    fault(0x5000, 1500);
    assertThat(kernel.events())
        .extracting(line -> line.replaceAll(" .*", ""))
        .containsExactly("EXIT@1000", "MMU@1400", "EPT_FAULT@1500");
  }

  @Test
  void aFaultThatIsToldLateIsBehindTheExitThatIsOpen() {
    pio(1000, 1, 0x80);
    fault(0x5000, 900); // another's fault on the page has let the guest go on since
    kernel.fire(1100, "kvm_fpu", "load", 1);
    assertThat(kernel.events()).isEmpty();
    userspace(1200, 2);
    assertThat(kernel.joiner.returned(EventType.PIO, 1300)).isTrue();
    kernel.joiner.joined(EventType.PIO, false); // which the caller has written
    assertThat(kernel.events())
        .extracting(line -> line.replaceAll(" d.*", ""))
        .containsExactly("EPT_FAULT@1000", "TRACEPOINT@1100");
  }

  @Test
  void aFaultWhileTheKernelHandlesAnExitIsBehindIt() {
    entry(1000);
    exit(1500, 30);
    fault(0x5000, 1600);
    pio(1700, 1, 0x3f8);
    entry(1800);
    assertThat(end())
        .extracting(line -> line.replaceAll(" .*", ""))
        .containsExactly("PIO@1500", "EPT_FAULT@1600");
  }

  @Test
  void faultsThatFindNoRoomBehindAnExitEndIt() {
    entry(1000);
    exit(1500, 30);
    for (int i = 0; i < 5_000; i++) {
      fault(0x5000 + i * 0x1000L, 1600 + i);
    }
    entry(9000);
    List<String> events = end();
    assertThat(events).hasSize(5_001).first().asString().startsWith("PIO@1500");
    assertThat(events.get(5_000)).startsWith("EPT_FAULT@6599").endsWith("gpa=0x138c000");
  }

  @Test
  void aFaultOnAPageThatIsNoMemoryIsTheAccessToTheDevice() {
    entry(1000);
    exit(1500, 48);
    kernel.fire(1510, "kvm_page_fault", "fault_address", 0xe000_0000L, "error_code", 0x182);
    mmio(1520, 2, 0xe000_0004L);
    userspace(1600, 6);
    entry(2600);
    exit(3000, 48);
    kernel.fire(3010, "kvm_page_fault", "fault_address", 0x5000, "error_code", 0x182);
    entry(3200);
    assertThat(end())
        .containsExactly(
            "MMIO@1500 guest_ns=500 rip=0x0 reason=EPT_VIOLATION kvm_exit=MMIO direction=WRITE"
                + " size=4 gpa=0xe0000004 value=0x7 kernel_ns=100 exit_code=0x30 isa=VMX"
                + " exit_info1=0x0 user_ns=1000 requests=0x0",
            "EPT_FAULT@3000 guest_ns=400 rip=0x0 reason=EPT_VIOLATION gpa=0x5000"
                + " qualification=0x0 kernel_ns=200 exit_code=0x30 isa=VMX exit_info1=0x0"
                + " requests=0x0");
  }

  @Test
  void aHaltsIdleTimeIsNoKernelTime() {
    entry(1000);
    exit(1500, 12);
    kernel.fire(91_500, "kvm_vcpu_wakeup", "ns", 89_000, "waited", 1);
    entry(92_000);
    assertThat(end())
        .containsExactly(
            "HLT@1500 guest_ns=500 rip=0x1000 reason=HLT idle_ns=89000 kernel_ns=1500"
                + " exit_code=0xc isa=VMX exit_info1=0x0 requests=0x0");
  }

  @Test
  void aHaltThatASignalEndsIsNoKernelTimeEither() {
    entry(1000);
    exit(1500, 12);
    kernel.fire(91_500, "kvm_vcpu_wakeup", "ns", 89_000, "waited", 1);
    kernel.fire(91_700, "kvm_userspace_exit", "reason", 0, "errno", -4);
    entry(92_000);
    assertThat(end())
        .containsExactly(
            "HLT@1500 guest_ns=500 rip=0x1000 reason=HLT kvm_exit=INTR idle_ns=89000"
                + " kernel_ns=1200 exit_code=0xc isa=VMX exit_info1=0x0 user_ns=300"
                + " requests=0x0");
  }

  @Test
  void whatComesWhileAnExitIsOpenIsAfterIt() {
    entry(1000);
    exit(1500, 1);
    kernel.fire(1550, "kvm_set_irq", "gsi", 4, "level", 1, "irq_source_id", 0);
    kernel.fire(1560, "kvm_inj_virq", "vector", 0x30, "soft", 0, "reinjected", 1);
    kernel.fire(1570, "kvm_fpu", "load", 1);
    entry(1700);
    kernel.fire(1800, "kvm_eoi", "apicid", 2, "vector", 0x30);
    assertThat(end())
        .containsExactly(
            "EXIT@1500 guest_ns=500 rip=0x1000 reason=EXTERNAL_INTERRUPT qualification=0x0"
                + " kernel_ns=200 exit_code=0x1 isa=VMX exit_info1=0x0 requests=0x0",
            "IRQ_LINE@1550 gsi=4 level=1 irq_source=0",
            "INJECTION@1560 interruption_type=EXTERNAL_INTERRUPT vector=48 reinjected=true",
            "TRACEPOINT@1570 data=" + hex("kvm_fpu load=1"),
            "EOI@1800 vector=48 apic_id=2");
  }

  private static String hex(String text) {
    return java.util.HexFormat.of()
        .formatHex(text.getBytes(java.nio.charset.StandardCharsets.US_ASCII));
  }

  @Test
  void moreThanFitsDoesNotHoldAnExitBackForEver() {
    entry(1000);
    exit(1500, 1);
    for (int i = 0; i < 8000; i++) {
      kernel.fire(1501 + i, "kvm_set_irq", "gsi", i % 24, "level", 1);
    }
    List<String> lines = end();
    assertThat(lines).hasSize(8001);
    assertThat(lines.get(0)).startsWith("EXIT@1500");
    for (int i = 1; i < lines.size(); i++) {
      assertThat(lines.get(i)).startsWith("IRQ_LINE@" + (1500 + i) + " ");
    }
  }

  // Without kvm_exit and kvm_entry, as on a KVM that uses neither VT-x nor SVM.

  @Test
  void withoutKvmExitTheAccessIsTheExit() {
    pio(1000, 1, 0x3f8);
    userspace(1100, 2);
    kernel.fire(2000, "kvm_cpuid", "function", 0);
    userspace(3000, 2);
    pio(4000, 0, 0x60);
    userspace(5000, 5);
    pio(6000, 1, 0x43);
    assertThat(end())
        .containsExactly(
            "PIO@1000 reason=IO_INSTRUCTION kvm_exit=IO direction=WRITE size=1 port=0x3f8 count=1"
                + " value=0x41 kernel_ns=100",
            "CPUID@2000 reason=CPUID leaf=0x0 subleaf=0x0 eax=0x0 ebx=0x0 ecx=0x0 edx=0x0",
            "PIO@3000 reason=IO_INSTRUCTION kvm_exit=IO direction=READ size=1 port=0x60 count=1"
                + " value=0x41 user_ns=1000",
            "HLT@5000 reason=HLT kvm_exit=HLT",
            "PIO@6000 reason=IO_INSTRUCTION direction=WRITE size=1 port=0x43 count=1 value=0x41");
  }

  @Test
  void aWriteThatKvmDidItselfDoesNotTakeTheReadsTime() {
    pio(1000, 1, 0x43);
    userspace(1100, 2);
    pio(3100, 0, 0x60);
    assertThat(end())
        .containsExactly(
            "PIO@1000 reason=IO_INSTRUCTION direction=WRITE size=1 port=0x43 count=1 value=0x41",
            "PIO@1100 reason=IO_INSTRUCTION kvm_exit=IO direction=READ size=1 port=0x60 count=1"
                + " value=0x41 user_ns=2000");
  }

  @Test
  void anAccessAcrossTwoPagesIsOneExit() {
    mmio(1000, 0, 0xe000_0ffcL);
    mmio(1010, 0, 0xe000_1000L);
    userspace(1100, 6);
    mmio(2000, 1, 0xe000_0ffcL);
    assertThat(end())
        .containsExactly(
            "MMIO@1000 reason=MMIO kvm_exit=MMIO direction=READ size=4 gpa=0xe0000ffc value=0x7"
                + " kernel_ns=100 user_ns=900");
  }

  @Test
  void anInterruptedRunIsNoExitOfTheGuests() {
    kernel.fire(1000, "kvm_userspace_exit", "reason", 0, "errno", -4);
    assertThat(end()).containsExactly("EXIT@1000 reason=INTERRUPTED kvm_exit=INTR");
  }

  // With a user-space stage of the caller's own.

  private List<String> join(long returned, EventType type, boolean read) {
    List<String> lines = new ArrayList<>();
    EventLog own = new EventLog(3, 4096);
    boolean open = kernel.joiner.returned(type, returned);
    EventWriter event = own.claim(type);
    event.put(Field.TIME, open ? kernel.joiner.time() : returned);
    event.put(Field.REASON, kernel.joiner.reasonOr(ExitReason.MMIO).code());
    if (open) {
      kernel.joiner.putStage(event);
    }
    own.commit();
    lines.addAll(kernel.events());
    own.forEach(
        e ->
            lines.add(
                "own "
                    + e.type()
                    + "@"
                    + e.time()
                    + " "
                    + ExitReason.of(e.reasonCode())
                    + " kernel="
                    + e.get(Field.KERNEL_TIME, -1)
                    + " guest="
                    + e.get(Field.GUEST_TIME, -1)
                    + " entry="
                    + e.get(Field.ENTRY_TIME, -1)));
    if (open) {
      kernel.joiner.joined(type, read);
    }
    lines.addAll(kernel.events());
    return lines;
  }

  @Test
  void theCallersEventGetsTheKernelsStage() {
    kernel.joiner.running(900);
    entry(1000);
    exit(1500, 10);
    kernel.fire(1510, "kvm_cpuid", "function", 0);
    entry(1700);
    exit(2500, 49);
    mmio(2510, 0, 0xe000_0000L);
    kernel.fire(2550, "kvm_set_irq", "gsi", 4, "level", 1);
    userspace(2600, 6);
    List<String> lines = join(2700, EventType.MMIO, true);
    assertThat(lines).hasSize(3);
    assertThat(lines.get(0)).startsWith("CPUID@1500 guest_ns=500").contains(" entry_ns=100");
    assertThat(lines.get(1))
        .isEqualTo("own MMIO@2500 EPT_MISCONFIGURATION kernel=200 guest=800 entry=-1");
    assertThat(lines.get(2)).startsWith("IRQ_LINE@2550");
    // KVM tells the value that user space has read; the caller has recorded it.
    kernel.joiner.running(3000);
    mmio(3050, 1, 0xe000_0000L);
    entry(3100);
    exit(3500, 30);
    pio(3510, 1, 0x3f8);
    userspace(3550, 2);
    assertThat(join(3600, EventType.PIO, false))
        .containsExactly("own PIO@3500 IO_INSTRUCTION kernel=100 guest=400 entry=100");
    assertThat(end()).isEmpty();
  }

  @Test
  void aRunThatEndsWithoutAnExitGetsNoStage() {
    kernel.fire(1000, "kvm_cpuid", "function", 0);
    List<String> lines = join(2000, EventType.EXIT, false);
    assertThat(lines).hasSize(2);
    assertThat(lines.get(0)).startsWith("CPUID@1000");
    assertThat(lines.get(1)).isEqualTo("own EXIT@2000 MMIO kernel=-1 guest=-1 entry=-1");
  }

  @Test
  void anInjectionOfTheCallersIsToldOnce() {
    kernel.joiner.injected(0x20);
    kernel.fire(1000, "kvm_inj_virq", "vector", 0x20);
    kernel.fire(1100, "kvm_inj_virq", "vector", 0x20);
    assertThat(end())
        .containsExactly(
            "INJECTION@1100 interruption_type=EXTERNAL_INTERRUPT vector=32 reinjected=false");
  }

  // What can go wrong.

  @Test
  void lossLeavesAGapWithItsCount() {
    entry(1000);
    exit(1500, 12);
    kernel.joiner.lost(77, 1600);
    entry(1700);
    exit(1800, 12);
    List<String> lines = end();
    assertThat(lines.get(0)).startsWith("HLT@1500").doesNotContain("kernel_ns");
    assertThat(lines.get(1)).isEqualTo("GAP@1600 cause=OVERRUN lost=77");
    assertThat(lines.get(2)).startsWith("HLT@1800 guest_ns=100");
  }

  @Test
  void aRecordThatIsTooShortIsCountedAndSkipped() {
    Tracepoint cpuid = new Tracepoint(KvmTracepoint.CPUID, Kernel.formats("6.18").get("kvm_cpuid"));
    kernel.joiner.accept(
        cpuid,
        java.nio.ByteBuffer.allocate(64).order(java.nio.ByteOrder.LITTLE_ENDIAN),
        0,
        16,
        1000);
    assertThat(end()).isEmpty();
    assertThat(kernel.joiner.shortRecords()).isEqualTo(1);
  }

  @Test
  void everyTracepointOfTheTableCanComeAtAnyTime() {
    for (KvmTracepoint first : KvmTracepoint.values()) {
      for (KvmTracepoint second : KvmTracepoint.values()) {
        kernel.fire(1000, first.title());
        kernel.fire(1100, second.title());
        kernel.joiner.returned(EventType.EXIT, 1200);
        kernel.joiner.finish();
        assertThat(kernel.events()).as(first + ", " + second).hasSizeBetween(0, 2);
      }
    }
  }
}
