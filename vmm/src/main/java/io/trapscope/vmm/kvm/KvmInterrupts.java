package io.trapscope.vmm.kvm;

import io.trapscope.vmm.device.InterruptFabric;
import io.trapscope.vmm.device.IoApic;
import io.trapscope.vmm.host.LibC;
import io.trapscope.vmm.hypervisor.HostInterrupts;
import java.nio.ByteBuffer;

/**
 * KVM's own interrupt controllers and interval timer, or its local APICs alone. Wired as our own
 * devices are, see {@code InterruptFabric}: IRQ 0 is pin 2 of the I/O APIC.
 */
final class KvmInterrupts implements HostInterrupts {
  private static final int PIC_LINES = 16;
  private static final int PIC_PINS = 8;
  private static final int CASCADE = 2;

  private final KvmHypervisor hypervisor;
  private final int vm;
  private final boolean complete;
  private final ByteBuffer level = LibC.allocate(KvmAbi.IRQ_LEVEL_BYTES);
  private final ByteBuffer message = LibC.allocate(KvmAbi.MSI_BYTES);

  /** {@code struct kvm_irq_routing} of the pins' messages, an entry a pin. */
  private final ByteBuffer messages =
      LibC.allocate(KvmAbi.ROUTING_HEADER + IoApic.PINS * KvmAbi.ROUTING_ENTRY);

  /**
   * Makes them; before the machine's vCPUs.
   *
   * @param complete whether all of them; else local APICs
   * @throws io.trapscope.vmm.hypervisor.HypervisorException where KVM refuses
   */
  KvmInterrupts(KvmHypervisor hypervisor, int vm, boolean complete) {
    this.hypervisor = hypervisor;
    this.vm = vm;
    this.complete = complete;
    if (complete) {
      createAll();
    } else {
      createLocal();
    }
  }

  private void createAll() {
    hypervisor.ioctl(vm, KvmAbi.KVM_CREATE_IRQCHIP, 0, "KVM_CREATE_IRQCHIP");
    setRoutes(routes());
    ByteBuffer timer = LibC.allocate(KvmAbi.PIT_CONFIG_BYTES);
    timer.putInt(0, KvmAbi.KVM_PIT_SPEAKER_DUMMY);
    hypervisor.ioctl(vm, KvmAbi.KVM_CREATE_PIT2, LibC.address(timer), "KVM_CREATE_PIT2");
    if (hypervisor.capability(KvmAbi.KVM_CAP_REINJECT_CONTROL) > 0) {
      // Ticks that a slow guest has missed would come all at once and leave it no time for anything
      // else; a real timer drops them.
      ByteBuffer none = LibC.allocate(KvmAbi.REINJECT_CONTROL_BYTES);
      hypervisor.ioctl(vm, KvmAbi.KVM_REINJECT_CONTROL, LibC.address(none), "KVM_REINJECT_CONTROL");
    }
  }

  private void createLocal() {
    ByteBuffer cap = LibC.allocate(KvmAbi.ENABLE_CAP_BYTES);
    cap.putInt(KvmAbi.ENABLE_CAP_CAP, KvmAbi.KVM_CAP_SPLIT_IRQCHIP);
    cap.putLong(KvmAbi.ENABLE_CAP_ARG0, IoApic.PINS);
    hypervisor.ioctl(
        vm, KvmAbi.KVM_ENABLE_CAP, LibC.address(cap), "KVM_ENABLE_CAP of KVM_CAP_SPLIT_IRQCHIP");
    messages.putInt(0, IoApic.PINS);
    for (int pin = 0; pin < IoApic.PINS; pin++) {
      int at = entry(pin);
      messages.putInt(at + KvmAbi.ROUTING_GSI, pin);
      messages.putInt(at + KvmAbi.ROUTING_TYPE, KvmAbi.KVM_IRQ_ROUTING_MSI);
    }
  }

  private static int entry(int index) {
    return KvmAbi.ROUTING_HEADER + index * KvmAbi.ROUTING_ENTRY;
  }

  private void setRoutes(ByteBuffer routes) {
    hypervisor.ioctl(vm, KvmAbi.KVM_SET_GSI_ROUTING, LibC.address(routes), "KVM_SET_GSI_ROUTING");
  }

  /** {@code struct kvm_irq_routing}: each ISA line to the 8259 pair and the I/O APIC. */
  static ByteBuffer routes() {
    ByteBuffer routes =
        LibC.allocate(KvmAbi.ROUTING_HEADER + 2 * IoApic.PINS * KvmAbi.ROUTING_ENTRY);
    for (int gsi = 0; gsi < IoApic.PINS; gsi++) {
      if (gsi < PIC_LINES && gsi != CASCADE) {
        int chip = gsi < PIC_PINS ? KvmAbi.KVM_IRQCHIP_PIC_MASTER : KvmAbi.KVM_IRQCHIP_PIC_SLAVE;
        add(routes, gsi, chip, gsi % PIC_PINS);
      }
      if (gsi != InterruptFabric.TIMER_PIN) {
        int pin = gsi == 0 ? InterruptFabric.TIMER_PIN : gsi;
        add(routes, gsi, KvmAbi.KVM_IRQCHIP_IOAPIC, pin);
      }
    }
    return routes;
  }

  private static void add(ByteBuffer routes, int gsi, int chip, int pin) {
    int count = routes.getInt(0);
    int at = entry(count);
    routes.putInt(at + KvmAbi.ROUTING_GSI, gsi);
    routes.putInt(at + KvmAbi.ROUTING_TYPE, KvmAbi.KVM_IRQ_ROUTING_IRQCHIP);
    routes.putInt(at + KvmAbi.ROUTING_IRQCHIP, chip);
    routes.putInt(at + KvmAbi.ROUTING_PIN, pin);
    routes.putInt(0, count + 1);
  }

  /** Whether the interval timer will raise an interrupt that is let through; false without one. */
  boolean timerRuns() {
    if (!complete) {
      return false;
    }
    ByteBuffer pit = LibC.allocate(KvmAbi.PIT_BYTES);
    hypervisor.ioctl(vm, KvmAbi.KVM_GET_PIT2, LibC.address(pit), "KVM_GET_PIT2");
    return KvmTimers.isArmed(
        pit,
        chip(KvmAbi.KVM_IRQCHIP_PIC_MASTER),
        chip(KvmAbi.KVM_IRQCHIP_IOAPIC),
        System.nanoTime());
  }

  private ByteBuffer chip(int number) {
    ByteBuffer state = LibC.allocate(KvmAbi.IRQCHIP_BYTES).putInt(0, number);
    hypervisor.ioctl(vm, KvmAbi.KVM_GET_IRQCHIP, LibC.address(state), "KVM_GET_IRQCHIP");
    return state;
  }

  @Override
  public boolean isComplete() {
    return complete;
  }

  @Override
  public synchronized void line(int gsi, boolean asserted) {
    level.putInt(0, gsi).putInt(KvmAbi.IRQ_LEVEL_LEVEL, asserted ? 1 : 0);
    hypervisor.ioctl(vm, KvmAbi.KVM_IRQ_LINE, LibC.address(level), "KVM_IRQ_LINE");
  }

  /** A message that no local APIC takes is lost, as on a bus. */
  @Override
  public synchronized void message(long address, int data) {
    message.putLong(0, address).putInt(KvmAbi.MSI_DATA, data);
    hypervisor.ioctl(vm, KvmAbi.KVM_SIGNAL_MSI, LibC.address(message), "KVM_SIGNAL_MSI");
  }

  @Override
  public synchronized void route(int pin, long address, int data) {
    int at = entry(pin);
    messages.putLong(at + KvmAbi.ROUTING_ADDRESS, address).putInt(at + KvmAbi.ROUTING_DATA, data);
    setRoutes(messages);
  }
}
