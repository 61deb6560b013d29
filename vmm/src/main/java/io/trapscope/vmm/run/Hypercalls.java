package io.trapscope.vmm.run;

import io.trapscope.recorder.event.ExitSink;
import io.trapscope.vmm.hypervisor.CpuState;
import io.trapscope.vmm.hypervisor.NestedWalk;
import io.trapscope.vmm.hypervisor.Vcpu;
import io.trapscope.vmm.hypervisor.Vm;
import io.trapscope.vmm.memory.GuestMemory;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

/**
 * What a guest can ask of the VMM, by VMCALL or through {@code HypercallPort}. Number in RAX,
 * arguments in RBX, RCX, RDX, RSI, result in RAX, as KVM has it
 * (Documentation/virt/kvm/x86/hypercalls.rst).
 */
final class Hypercalls {
  /**
   * Translates the GPA in RBX and shows the walk and the value found. Where RCX holds a GVA that
   * the guest's page tables map to this GPA, that walk is shown too. The result is the value, or
   * {@link #KVM_EFAULT}.
   */
  static final long TRANSLATE = 22;

  /** Results of a call that failed (linux/kvm_para.h). */
  static final long KVM_ENOSYS = -1000;

  static final long KVM_EFAULT = -14;

  private final Vm vm;
  private final LongSupplier clock;
  private final Consumer<String> messages;
  private final CpuState state = new CpuState();
  private ExitSink other = ExitSink.NONE;
  private long events;

  /**
   * @param clock time for an event of no vCPU, host monotonic ns
   */
  Hypercalls(Vm vm, LongSupplier clock, Consumer<String> messages) {
    this.vm = vm;
    this.clock = clock;
    this.messages = messages;
  }

  /** Where the translations of this run are recorded. */
  void recordTo(ExitSink sink) {
    other = sink;
  }

  /** Events recorded so far. */
  long events() {
    return events;
  }

  long call(Vcpu vcpu, long number, long rbx, long rcx) {
    return number == TRANSLATE ? translate(vcpu, rbx, rcx) : KVM_ENOSYS;
  }

  private long translate(Vcpu vcpu, long gpa, long gva) {
    vcpu.readState(state);
    GuestMemory memory = vm.memory();
    GuestWalk guest = GuestWalk.applies(state) ? GuestWalk.of(memory, state, gva) : null;
    if (guest != null && guest.gpa() != gpa) {
      guest = null;
    }
    NestedWalk nested = vm.walk(gpa);
    boolean found = memory.contains(gpa, 8);
    long value = found ? memory.readLong(gpa) : 0;
    TranslationDump dump = new TranslationDump(guest, nested, value, found);
    dump.lines().forEach(messages);
    dump.record(other, clock.getAsLong());
    events++;
    return found ? value : KVM_EFAULT;
  }
}
