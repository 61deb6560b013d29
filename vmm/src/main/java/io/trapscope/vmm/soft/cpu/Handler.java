package io.trapscope.vmm.soft.cpu;

/** What one form of an instruction does. Stateless; everything about the instance is in the op. */
@FunctionalInterface
public interface Handler {

  /**
   * Executes {@code op} on {@code cpu}. RIP is already accounted for: only a branch sets it.
   *
   * @throws GuestFault where the guest raises an exception; nothing may have changed before
   * @throws ExitSignal where a memory access leaves guest mode; nothing may have changed before
   */
  void exec(Cpu cpu, Op op);
}
