package io.trapscope.vmm.run;

import io.trapscope.recorder.event.RunEnd;
import io.trapscope.vmm.device.MachineControl;
import io.trapscope.vmm.hypervisor.Vcpu;
import java.util.BitSet;
import java.util.List;
import java.util.Locale;

/**
 * Whether the run goes on, and what the vCPU threads wait on while they idle. The first cause of an
 * end counts; later ones are ignored.
 */
final class RunState implements MachineControl {
  private final List<Vcpu> vcpus;

  /** vCPUs that no interrupt can wake, and those that wait for one. */
  private final BitSet parked = new BitSet();

  private final BitSet idle = new BitSet();

  private volatile RunEnd end;
  private long detail;
  private String text = "";
  private Throwable bug;

  RunState(List<Vcpu> vcpus) {
    this.vcpus = vcpus;
  }

  /** Whether the loops should stop. */
  boolean ended() {
    return end != null;
  }

  RunEnd end() {
    return end;
  }

  synchronized long detail() {
    return detail;
  }

  synchronized String text() {
    return text;
  }

  synchronized Throwable bug() {
    return bug;
  }

  synchronized void end(RunEnd how, long code, String words) {
    if (end != null) {
      return;
    }
    detail = code;
    text = words;
    end = how;
    notifyAll();
    kickAll();
  }

  /** Ends the run for a defect of the VMM's own, which the caller of the run gets to see. */
  synchronized void fail(Throwable defect) {
    if (bug == null) {
      bug = defect;
    }
    end(RunEnd.ERROR, 0, defect.toString());
  }

  /** No interrupt can wake this vCPU now; where that is so for all, the run ends. */
  synchronized void park(int vcpu, String words) {
    parked.set(vcpu);
    if (parked.cardinality() == vcpus.size()) {
      end(RunEnd.HALTED, 0, words);
    }
  }

  /** This vCPU waits for an interrupt that no timer will bring; returns whether none goes on. */
  synchronized boolean idle(int vcpu) {
    idle.set(vcpu);
    BitSet resting = (BitSet) parked.clone();
    resting.or(idle);
    return resting.cardinality() == vcpus.size();
  }

  /** An interrupt waits for this vCPU. */
  synchronized void interrupted(int vcpu) {
    idle.clear(vcpu);
  }

  /** The vCPU runs again, or is about to. */
  synchronized void unpark(int vcpu) {
    parked.clear(vcpu);
    idle.clear(vcpu);
  }

  void kickAll() {
    for (Vcpu vcpu : vcpus) {
      vcpu.kick();
    }
  }

  /** Wakes the threads in {@link #await}. */
  synchronized void wake() {
    notifyAll();
  }

  /** Waits for {@link #wake} or the end; may return early. */
  synchronized void await(long millis) {
    if (end == null) {
      try {
        wait(millis);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        end(RunEnd.INTERRUPTED, 0, "interrupted");
      }
    }
  }

  @Override
  public void reset(String cause) {
    end(RunEnd.RESET, 0, "reset by " + cause);
  }

  @Override
  public void powerOff(String cause) {
    end(RunEnd.POWER_OFF, 0, "powered off by " + cause);
  }

  @Override
  public void debugExit(long value) {
    end(RunEnd.DEBUG_EXIT, value, String.format(Locale.ROOT, "debug exit with 0x%x", value));
  }
}
