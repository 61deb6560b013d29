package io.trapscope.vmm.pc;

import io.trapscope.vmm.device.DebugExit;
import io.trapscope.vmm.device.InterruptSource;
import io.trapscope.vmm.device.Pic;
import io.trapscope.vmm.device.Pit;
import io.trapscope.vmm.device.PostCode;
import io.trapscope.vmm.hypervisor.VmExit;
import java.util.HashMap;
import java.util.Map;

/**
 * The least a guest needs: a console that prints, interrupt controller and timer, debug exit and
 * POST code. For tests of the loop that want nothing else on the bus.
 */
public final class SimpleBoard implements Board {
  private static final int IA32_SYSENTER_CS = 0x174;
  private static final int IA32_SYSENTER_EIP = 0x176;

  private Pic pic;

  @Override
  public void build(Slots slots) {
    pic = new Pic();
    Pit pit = new Pit(slots.timers(), pic.line(0));
    slots.bus().mapPorts(0x20, 2, 1, pic.masterPorts());
    slots.bus().mapPorts(0xa0, 2, 1, pic.slavePorts());
    slots.bus().mapPorts(0x4d0, 2, 1, pic.elcrPorts());
    slots.bus().mapPorts(0x40, 4, 1, pit.ports());
    slots.bus().mapPorts(0x61, 1, pit.controlPortB());
    slots.bus().mapPorts(PostCode.PORT, 1, new PostCode());
    slots.bus().mapPorts(DebugExit.PORT, 4, new DebugExit(slots.control()));
    slots.bus().mapPorts(ConsolePort.COM1, ConsolePort.PORTS, 1, new ConsolePort(slots.console()));
  }

  @Override
  public InterruptSource interrupts() {
    return pic;
  }

  /** Leaf 0 names the toolkit; everything else is zero: no features. */
  @Override
  public CpuidModel cpuid() {
    return (vcpu, leaf, subleaf, result) -> {
      result[0] = leaf == 0 ? 1 : 0;
      result[1] = leaf == 0 ? 0x70617254 : 0;
      result[3] = leaf == 0 ? 0x706f6373 : 0;
      result[2] = leaf == 0 ? 0x20202065 : 0;
    };
  }

  /** The three SYSENTER registers, which nothing here looks at; there are no others. */
  @Override
  public MsrModel msrs() {
    Map<Integer, Long> values = new HashMap<>();
    return new MsrModel() {
      @Override
      public boolean read(int vcpu, VmExit exit) {
        exit.value = values.getOrDefault(exit.index, 0L);
        return known(exit.index);
      }

      @Override
      public boolean write(int vcpu, VmExit exit) {
        values.put(exit.index, exit.value);
        return known(exit.index);
      }

      private boolean known(int index) {
        return index >= IA32_SYSENTER_CS && index <= IA32_SYSENTER_EIP;
      }
    };
  }

  @Override
  public int consoleInput(byte[] bytes, int offset, int length) {
    return length;
  }
}
