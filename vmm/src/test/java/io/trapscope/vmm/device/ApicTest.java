package io.trapscope.vmm.device;

import static org.assertj.core.api.Assertions.assertThat;

import io.trapscope.vmm.hypervisor.HostInterrupts;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Register sequences of the SDM's APIC chapter and of the 82093AA data sheet. */
class ApicTest {
  private static final int ENABLE = 0x1ff;

  private final List<String> signals = new ArrayList<>();
  private final ProcessorSignals listener =
      new ProcessorSignals() {
        @Override
        public void interrupt(int vcpu) {}

        @Override
        public void nmi(int vcpu) {
          signals.add("nmi " + vcpu);
        }

        @Override
        public void init(int vcpu) {
          signals.add("init " + vcpu);
        }

        @Override
        public void startUp(int vcpu, int vector) {
          signals.add("sipi " + vcpu + " " + vector);
        }

        @Override
        public void taskPriority(int vcpu, int priority) {
          signals.add("CR8 " + vcpu + " " + priority);
        }
      };
  private final Timers timers = new Timers();
  private final Tsc tsc = new Tsc(2_000_000_000L);
  private final InterruptFabric fabric = new InterruptFabric(3, timers, tsc, listener, null);
  private final Device registers = fabric.apicRegisters();
  private final IoApic ioApic = fabric.ioApic();

  ApicTest() {
    for (int vcpu = 2; vcpu >= 0; vcpu--) {
      fabric.setCurrent(vcpu);
      write(0xf0, ENABLE);
    }
  }

  private long read(int offset) {
    return registers.read(offset, 4);
  }

  private void write(int offset, long value) {
    registers.write(offset, 4, value & 0xffff_ffffL);
  }

  private void redirect(int pin, long entry) {
    redirect(ioApic, pin, entry);
  }

  private static void redirect(IoApic ioApic, int pin, long entry) {
    ioApic.write(0, 4, 0x11 + 2 * pin);
    ioApic.write(0x10, 4, entry >>> 32);
    ioApic.write(0, 4, 0x10 + 2 * pin);
    ioApic.write(0x10, 4, entry & 0xffff_ffffL);
  }

  private long redirection(int pin) {
    ioApic.write(0, 4, 0x10 + 2 * pin);
    return ioApic.read(0x10, 4);
  }

  private void advance(long nanos) {
    timers.advance(nanos);
  }

  @Test
  void withLocalApicsInTheHostPinsSendMessagesThere() {
    List<String> sent = new ArrayList<>();
    HostInterrupts host =
        new HostInterrupts() {
          @Override
          public boolean isComplete() {
            return false;
          }

          @Override
          public void line(int gsi, boolean asserted) {
            throw new AssertionError("the pair and the I/O APIC are ours");
          }

          @Override
          public void message(long address, int data) {
            sent.add(String.format("message %x %x", address, data));
          }

          @Override
          public void route(int pin, long address, int data) {
            sent.add(String.format("route %d %x %x", pin, address, data));
          }
        };
    InterruptFabric split = new InterruptFabric(2, timers, tsc, listener, host);
    redirect(split.ioApic(), 4, 1L << 56 | 0x31);
    split.line(4).set(true);
    assertThat(sent).containsExactly("message fee01000 31");
    sent.clear();
    redirect(split.ioApic(), 9, 3L << 56 | 0x8841);
    split.line(9).set(true);
    assertThat(sent).contains("route 9 fee03004 c041").endsWith("message fee03004 c041");
    sent.clear();
    split.line(9).set(true);
    assertThat(sent).as("its end is awaited").isEmpty();
    split.endOfInterrupt(0x41);
    assertThat(sent).as("still asserted").containsExactly("message fee03004 c041");
    assertThat(split.pending(1)).isFalse();
    assertThat(split.pending(0)).as("the 8259 pair is not initialized").isFalse();
  }

  @Test
  void firmwareLeavesVirtualWireMode() {
    assertThat(read(0x30)).isEqualTo(0x50014);
    assertThat(read(0x350)).isEqualTo(0x700);
    assertThat(read(0x360)).isEqualTo(0x400);
    Device pic = fabric.pic().masterPorts();
    fabric.line(3).set(true);
    assertThat(fabric.pending(0)).as("not initialized").isFalse();
    fabric.line(3).set(false);
    for (int value : new int[] {0x11, 0x20, 0x04, 0x01}) {
      pic.write(value == 0x11 ? 0 : 1, 1, value);
    }
    fabric.line(4).set(true);
    assertThat(fabric.pending(0)).isTrue();
    assertThat(fabric.pending(1)).isFalse();
    assertThat(fabric.acknowledge(0)).isEqualTo(0x24);
    fabric.line(3).set(true);
    write(0x350, 0x10700);
    assertThat(fabric.pending(0)).as("LINT0 masked").isFalse();
    fabric.apic(0).writeBaseMsr(0xfee00100L);
    assertThat(fabric.pending(0)).as("without the APIC the pair is wired through").isTrue();
    assertThat(fabric.acknowledge(0)).isEqualTo(0x23);
  }

  @Test
  void anIoApicEdgeGoesToItsDestinationOnce() {
    redirect(4, 0x0100_0000_0000_0034L);
    fabric.line(4).set(true);
    assertThat(fabric.pending(0)).isFalse();
    assertThat(fabric.acknowledge(1)).isEqualTo(0x34);
    assertThat(fabric.pending(1)).isFalse();
    fabric.line(4).set(false);
    fabric.line(4).set(true);
    assertThat(fabric.pending(1)).as("still in service").isFalse();
    fabric.setCurrent(1);
    assertThat(read(0x110)).as("ISR 63:32").isEqualTo(1 << 0x14);
    write(0xb0, 0);
    assertThat(read(0x110)).isZero();
    assertThat(fabric.acknowledge(1)).isEqualTo(0x34);
  }

  @Test
  void theTimersLineIsPinTwo() {
    redirect(2, 0x30);
    fabric.line(0).set(true);
    assertThat(fabric.acknowledge(0)).isEqualTo(0x30);
  }

  @Test
  void anEdgeOnAMaskedPinIsLost() {
    redirect(5, 0x1_0041);
    fabric.line(5).set(true);
    redirect(5, 0x41);
    assertThat(fabric.pending(0)).isFalse();
  }

  @Test
  void aLevelInterruptsAgainAfterEoiWhileItIsAsserted() {
    redirect(10, 0x1_8051);
    fabric.line(10).set(true);
    assertThat(fabric.pending(0)).isFalse();
    redirect(10, 0x8051);
    assertThat(redirection(10)).as("remote IRR").isEqualTo(0xc051);
    assertThat(fabric.acknowledge(0)).isEqualTo(0x51);
    assertThat(read(0x1a0)).as("TMR 95:64").isEqualTo(1 << 0x11);
    write(0xb0, 0);
    assertThat(fabric.acknowledge(0)).isEqualTo(0x51);
    fabric.line(10).set(false);
    write(0xb0, 0);
    assertThat(redirection(10)).isEqualTo(0x8051);
    assertThat(fabric.pending(0)).isFalse();
  }

  @Test
  void prioritiesOfVectorsAndTask() {
    fabric.message(0, false, InterruptFabric.FIXED, 0x41, false);
    fabric.message(0, false, InterruptFabric.FIXED, 0x62, false);
    assertThat(read(0x220)).as("IRR 95:64").isEqualTo(1 << 1);
    assertThat(read(0x230)).as("IRR 127:96").isEqualTo(1 << 2);
    write(0x80, 0x60);
    assertThat(fabric.pending(0)).isFalse();
    assertThat(signals).containsExactly("CR8 0 6");
    fabric.apic(0).setCr8(5);
    assertThat(fabric.acknowledge(0)).isEqualTo(0x62);
    assertThat(read(0xa0)).as("PPR").isEqualTo(0x60);
    fabric.message(0, false, InterruptFabric.FIXED, 0x6f, false);
    assertThat(fabric.pending(0)).as("same class waits").isFalse();
    fabric.message(0, false, InterruptFabric.FIXED, 0x70, false);
    assertThat(fabric.acknowledge(0)).isEqualTo(0x70);
    write(0x80, 0);
    write(0xb0, 0);
    write(0xb0, 0);
    assertThat(fabric.acknowledge(0)).isEqualTo(0x6f);
    write(0xb0, 0);
    assertThat(fabric.acknowledge(0)).isEqualTo(0x41);
  }

  @Test
  void logicalDestinations() {
    for (int vcpu = 0; vcpu < 3; vcpu++) {
      fabric.setCurrent(vcpu);
      write(0xd0, (1L << vcpu) << 24);
    }
    fabric.message(0x05, true, InterruptFabric.FIXED, 0x44, false);
    assertThat(List.of(fabric.pending(0), fabric.pending(1), fabric.pending(2)))
        .containsExactly(true, false, true);
    fabric.message(0x06, true, InterruptFabric.LOWEST_PRIORITY, 0x45, false);
    assertThat(fabric.acknowledge(1)).isEqualTo(0x45);
    assertThat(fabric.acknowledge(2)).as("one of them only").isEqualTo(0x44);
    fabric.setCurrent(1);
    write(0xb0, 0);
    write(0xe0, 0x0fff_ffffL);
    write(0xd0, 0x2100_0000L);
    fabric.message(0x21, true, InterruptFabric.FIXED, 0x46, false);
    assertThat(fabric.acknowledge(1)).as("cluster 2").isEqualTo(0x46);
  }

  @Test
  void interProcessorInterrupts() {
    fabric.setCurrent(0);
    write(0x310, 0x0200_0000L);
    write(0x300, 0x4500);
    write(0x300, 0x8500);
    write(0x300, 0x4608);
    write(0x300, 0x400);
    assertThat(signals).containsExactly("init 2", "sipi 2 8", "nmi 2");
    write(0x300, 0x4_0055);
    assertThat(fabric.acknowledge(0)).as("self").isEqualTo(0x55);
    write(0x300, 0xc_0061);
    assertThat(fabric.pending(0)).isFalse();
    assertThat(fabric.acknowledge(1)).as("all but self").isEqualTo(0x61);
    fabric.setCurrent(2);
    assertThat(read(0xf0)).as("INIT reset it").isEqualTo(0xff);
    assertThat(fabric.pending(2)).as("and it accepts nothing").isFalse();
  }

  @Test
  void oneShotTimer() {
    write(0x3e0, 0x3);
    write(0x320, 0xef);
    advance(1000);
    write(0x380, 100);
    assertThat(timers.next()).isEqualTo(1000 + 1600);
    advance(1000 + 800);
    assertThat(read(0x390)).isEqualTo(50);
    assertThat(fabric.pending(0)).isFalse();
    advance(2600);
    assertThat(fabric.acknowledge(0)).isEqualTo(0xef);
    assertThat(read(0x390)).isZero();
    assertThat(timers.next()).isEqualTo(Long.MAX_VALUE);
  }

  @Test
  void periodicTimerAndDivider() {
    write(0x3e0, 0xb);
    write(0x320, 0x200ef);
    write(0x380, 1000);
    for (int tick = 1; tick <= 3; tick++) {
      assertThat(timers.next()).isEqualTo(tick * 1000L);
      advance(tick * 1000L);
      assertThat(fabric.acknowledge(0)).isEqualTo(0xef);
      write(0xb0, 0);
    }
    advance(1_000_500);
    assertThat(fabric.acknowledge(0)).as("missed periods are one interrupt").isEqualTo(0xef);
    assertThat(timers.next()).isEqualTo(1_001_000);
    write(0x320, 0x300ef);
    assertThat(timers.next()).as("masked").isEqualTo(Long.MAX_VALUE);
    write(0x380, 0);
    write(0x320, 0x200ef);
    assertThat(timers.next()).as("stopped").isEqualTo(Long.MAX_VALUE);
  }

  @Test
  void deadlineTimerFollowsTheTsc() {
    LocalApic apic = fabric.apic(0);
    apic.writeTscDeadline(5000);
    assertThat(apic.tscDeadline()).as("not in that mode").isZero();
    write(0x320, 0x400ee);
    apic.writeTscDeadline(5001);
    assertThat(timers.next()).as("2 GHz, rounded up").isEqualTo(2501);
    write(0x380, 77);
    assertThat(read(0x390)).isZero();
    advance(2501);
    assertThat(fabric.acknowledge(0)).isEqualTo(0xee);
    assertThat(apic.tscDeadline()).isZero();
    write(0xb0, 0);
    apic.writeTscDeadline(1);
    advance(2502);
    assertThat(fabric.acknowledge(0)).as("in the past: at once").isEqualTo(0xee);
    write(0xb0, 0);
    apic.writeTscDeadline(Long.MAX_VALUE);
    apic.writeTscDeadline(0);
    assertThat(timers.next()).isEqualTo(Long.MAX_VALUE);
  }

  @Test
  void aDeadlineThatPassesWhileMaskedInterruptsNobody() {
    LocalApic apic = fabric.apic(0);
    write(0x320, 0x500ee);
    apic.writeTscDeadline(5000);
    advance(2499);
    assertThat(apic.tscDeadline()).isEqualTo(5000);
    advance(2500);
    write(0x320, 0x400ee);
    advance(2501);
    assertThat(fabric.pending(0)).isFalse();
    assertThat(apic.tscDeadline()).isZero();
  }

  @Test
  void errorsAreLatchedAndInterrupt() {
    write(0x370, 0xfe);
    write(0x300, 0x0005);
    assertThat(fabric.acknowledge(0)).isEqualTo(0xfe);
    write(0xb0, 0);
    assertThat(read(0x280)).as("not latched yet").isZero();
    write(0x280, 0);
    assertThat(read(0x280)).as("send illegal vector").isEqualTo(0x20);
    read(0x3f0);
    write(0x280, 0);
    assertThat(read(0x280)).as("illegal register").isEqualTo(0x80);
    fabric.message(0, false, InterruptFabric.FIXED, 3, false);
    write(0x280, 0);
    assertThat(read(0x280)).as("received illegal vector").isEqualTo(0x40);
  }

  @Test
  void theSelfInterruptRegisterIsForX2apicModeOnly() {
    write(0x3f0, 0x41);
    assertThat(fabric.pending(0)).isFalse();
    write(0x280, 0);
    assertThat(read(0x280)).as("illegal register address").isEqualTo(0x80);
  }

  @Test
  void softwareDisableMasksTheLocalVectors() {
    write(0x320, 0xef);
    write(0xf0, 0xff);
    assertThat(read(0x320)).isEqualTo(0x100ef);
    write(0x320, 0xef);
    assertThat(read(0x320)).as("and they stay masked").isEqualTo(0x100ef);
    fabric.message(0, false, InterruptFabric.FIXED, 0x40, false);
    assertThat(fabric.pending(0)).isFalse();
  }

  @Test
  void x2apicMode() {
    LocalApic apic = fabric.apic(1);
    long[] value = new long[1];
    assertThat(apic.readMsr(LocalApic.ID, value)).as("not in x2APIC mode").isFalse();
    assertThat(apic.baseMsr()).isEqualTo(0xfee00800L);
    assertThat(apic.writeBaseMsr(0xfee00c00L)).isTrue();
    assertThat(apic.writeBaseMsr(0xfee00800L)).as("back to xAPIC: #GP").isFalse();
    assertThat(apic.writeBaseMsr(0xfed00c00L)).as("another address").isFalse();
    assertThat(apic.readMsr(LocalApic.ID, value)).isTrue();
    assertThat(value[0]).isEqualTo(1);
    assertThat(apic.readMsr(LocalApic.LDR, value)).isTrue();
    assertThat(value[0]).isEqualTo(2);
    assertThat(apic.readMsr(LocalApic.EOI, value)).isFalse();
    assertThat(apic.readMsr(LocalApic.DFR, value)).isFalse();
    assertThat(apic.writeMsr(LocalApic.LDR, 1)).isFalse();
    assertThat(apic.writeMsr(LocalApic.EOI, 1)).isFalse();
    assertThat(apic.writeMsr(LocalApic.SELF_IPI, 0x77)).isTrue();
    assertThat(fabric.acknowledge(1)).isEqualTo(0x77);
    assertThat(apic.writeMsr(LocalApic.EOI, 0)).isTrue();
    assertThat(apic.writeMsr(LocalApic.ICR_LOW, 2L << 32 | 0x4500)).isTrue();
    assertThat(signals).containsExactly("init 2");
    assertThat(apic.readMsr(LocalApic.ICR_LOW, value)).isTrue();
    assertThat(value[0]).isEqualTo(2L << 32 | 0x4500);
    fabric.setCurrent(1);
    assertThat(read(0x20)).as("no MMIO in x2APIC mode").isEqualTo(0xffff_ffffL);
  }

  @Test
  void ioApicIdentification() {
    ioApic.write(0, 4, 1);
    assertThat(ioApic.read(0x10, 4)).isEqualTo(0x170011);
    ioApic.write(0, 4, 0);
    ioApic.write(0x10, 4, 0x0500_0000L);
    assertThat(ioApic.read(0x10, 4)).isEqualTo(0x0500_0000L);
    assertThat(redirection(23)).isEqualTo(0x10000);
    redirect(7, 0xff00_0000_0001_f7ffL);
    assertThat(redirection(7)).as("status bits are read-only").isEqualTo(0x1a7ff);
  }
}
