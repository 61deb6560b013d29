package io.trapscope.vmm.kvm;

import io.trapscope.recorder.event.ExitReason;
import io.trapscope.vmm.hypervisor.CpuState;
import java.util.Locale;

/**
 * The exit loop without a machine around it: what the back end itself costs. Run by {@code
 * vmm/spin-vs-c}.
 */
final class KvmSpin {
  private KvmSpin() {}

  /** Takes the number of exits, and prints {@code N exits M ns/exit}. */
  public static void main(String[] arguments) {
    int count = Integer.parseInt(arguments[0]);
    // l: out 0x10, al; dec ecx; jnz l; hlt
    try (KvmGuest guest = KvmGuest.longMode(0xE6, 0x10, 0xFF, 0xC9, 0x75, 0xFA, 0xF4)) {
      guest.set(CpuState.RCX, count);
      long exits = 0;
      long start = System.nanoTime();
      do {
        guest.vcpu.run(guest.exit);
        exits++;
      } while (guest.exit.reason == ExitReason.IO_INSTRUCTION);
      double nanos = System.nanoTime() - start;
      if (guest.exit.reason != ExitReason.HLT) {
        throw new IllegalStateException("the guest ended with " + guest.exit.reason);
      }
      System.out.printf(Locale.ROOT, "%d exits %.0f ns/exit%n", exits, nanos / exits);
    }
  }
}
