package io.trapscope.vmm.device;

/** What the interrupt fabric asks of a machine's processors besides taking interrupts. */
public interface ProcessorSignals {

  /** Nobody listens: a machine with one vCPU and no use for NMIs. */
  ProcessorSignals NONE =
      new ProcessorSignals() {
        @Override
        public void interrupt(int vcpu) {}

        @Override
        public void nmi(int vcpu) {}

        @Override
        public void init(int vcpu) {}

        @Override
        public void startUp(int vcpu, int vector) {}

        @Override
        public void taskPriority(int vcpu, int priority) {}
      };

  /** An interrupt may now be pending for {@code vcpu}: it should leave a halt or the guest. */
  void interrupt(int vcpu);

  /** A non-maskable interrupt for {@code vcpu}. */
  void nmi(int vcpu);

  /** INIT for {@code vcpu}: it resets and waits for a start-up IPI. */
  void init(int vcpu);

  /**
   * Start-up IPI for {@code vcpu}: where it waits for one, it starts in real mode at {@code vector}
   * times 4096.
   */
  void startUp(int vcpu, int vector);

  /** {@code vcpu}, which has the exit, wrote its APIC's task priority: this is its CR8, 0 to 15. */
  void taskPriority(int vcpu, int priority);
}
