package io.trapscope.vmm.kvm;

import io.trapscope.vmm.device.InterruptFabric;
import io.trapscope.vmm.device.Pit;
import java.nio.ByteBuffer;

/**
 * Whether a timer that KVM has will ever raise an interrupt: a look at the registers of its local
 * APIC, its 8254 and what lies between that and a vCPU. Needs their states only, so tests hand it
 * made-up ones. Where it is not sure it says that one will.
 */
final class KvmTimers {
  // Local APIC (Intel SDM volume 3, section 13.4 and 13.5): offsets of registers, and their bits.
  private static final int SPURIOUS = 0xf0;
  private static final int LVT_TIMER = 0x320;
  private static final int CURRENT_COUNT = 0x390;
  private static final int ENABLED = 1 << 8;
  private static final int MASKED = 1 << 16;
  private static final int TIMER_MODE = 3 << 17;
  private static final int TSC_DEADLINE = 2 << 17;

  private static final long NANOS_A_SECOND = 1_000_000_000L;

  /** What a timer of the host may come late. */
  private static final long LATE_NANOS = 100_000_000;

  private KvmTimers() {}

  /**
   * Whether a local APIC's timer is armed and its interrupt not masked.
   *
   * @param apic {@code struct kvm_lapic_state}
   * @param deadline IA32_TSC_DEADLINE, 0 where none is set
   */
  static boolean isArmed(ByteBuffer apic, long deadline) {
    int timer = apic.getInt(LVT_TIMER);
    if ((apic.getInt(SPURIOUS) & ENABLED) == 0 || (timer & MASKED) != 0) {
      return false;
    }
    return (timer & TIMER_MODE) == TSC_DEADLINE ? deadline != 0 : apic.getInt(CURRENT_COUNT) != 0;
  }

  /**
   * Whether channel 0 of the 8254 runs, and its interrupt is let through.
   *
   * @param pit {@code struct kvm_pit_state2}
   * @param pic {@code struct kvm_irqchip} of the first 8259
   * @param ioApic {@code struct kvm_irqchip} of the I/O APIC
   * @param nanos now, on the host's monotonic clock
   */
  static boolean isArmed(ByteBuffer pit, ByteBuffer pic, ByteBuffer ioApic, long nanos) {
    int pin = KvmAbi.IRQCHIP_IOAPIC_PINS + 8 * InterruptFabric.TIMER_PIN;
    boolean masked =
        (pic.get(KvmAbi.IRQCHIP_PIC_MASK) & 1) != 0 && (ioApic.getInt(pin) & MASKED) != 0;
    if (masked) {
      return false;
    }
    return switch (pit.get(KvmAbi.PIT_MODE)) {
      case 2, 3 -> true;
      // Once: it has fired when its count is over.
      case 0, 1, 4, 5 -> {
        int count = pit.getInt(KvmAbi.PIT_COUNT);
        long due = pit.getLong(KvmAbi.PIT_LOADED) + count * NANOS_A_SECOND / Pit.FREQUENCY;
        yield nanos - due < LATE_NANOS;
      }
      default -> false; // nobody has set a mode since reset
    };
  }
}
