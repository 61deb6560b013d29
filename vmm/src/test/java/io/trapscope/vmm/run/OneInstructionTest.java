package io.trapscope.vmm.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.trapscope.recorder.event.EventLog;
import io.trapscope.recorder.event.EventReader;
import io.trapscope.recorder.event.EventType;
import io.trapscope.recorder.event.Field;
import io.trapscope.recorder.event.RunEnd;
import io.trapscope.vmm.boot.FlatLoader;
import io.trapscope.vmm.boot.FlatLoader.Mode;
import io.trapscope.vmm.hypervisor.CpuState;
import io.trapscope.vmm.hypervisor.Vcpu;
import io.trapscope.vmm.hypervisor.Vm;
import io.trapscope.vmm.hypervisor.VmConfig;
import io.trapscope.vmm.hypervisor.VmExit;
import io.trapscope.vmm.kvm.KvmHypervisor;
import io.trapscope.vmm.kvm.KvmProbe;
import io.trapscope.vmm.memory.MemoryLayout;
import io.trapscope.vmm.soft.SoftHypervisor;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * One instruction on another processor's state. The other processor is a software one that never
 * runs: it has registers and memory, as a vCPU of KVM has.
 */
class OneInstructionTest {
  private static final int BYTES = 8 << 20;
  private static final int CODE = 0x10000;

  private final Vm vm = new SoftHypervisor().createVm(new VmConfig(BYTES, 1, "x86-64-v2"));
  private final Vcpu vcpu = vm.vcpus().get(0);
  private final CpuState state = new CpuState();
  private final List<String> accesses = new ArrayList<>();
  private OneInstruction one;

  private void load(String code) {
    byte[] bytes = HexFormat.of().parseHex(code.replace(" ", ""));
    FlatLoader loader = new FlatLoader("test", bytes, CODE, CODE, Mode.LONG, "");
    vcpu.readState(state);
    state.more = new CpuState.More();
    vcpu.readState(state);
    loader.load(vm.memory(), MemoryLayout.ram(BYTES), 1, state);
    state.cr4 |= 0x600; // OSFXSR, OSXMMEXCPT
    vcpu.writeState(state);
    one = new OneInstruction(vm.memory(), BYTES);
  }

  private boolean execute() {
    vcpu.writeState(state);
    boolean done = one.execute(vcpu, this::answer);
    vcpu.readState(state);
    return done;
  }

  private void answer(VmExit exit) {
    accesses.add(
        (exit.write ? "write " + exit.value : "read") + " at " + Long.toHexString(exit.gpa));
    if (!exit.write) {
      exit.value = 0x55;
    }
  }

  @Test
  void itIsOneAndNoMore() {
    load("f3480fb8c3 48ffc0"); // popcnt rax, rbx; inc rax
    state.gpr[CpuState.RBX] = 0xff0f;
    assertThat(execute()).isTrue();
    assertThat(state.gpr[CpuState.RAX]).isEqualTo(12);
    assertThat(state.rip).isEqualTo(CODE + 5);
    assertThat(execute()).isTrue();
    assertThat(state.gpr[CpuState.RAX]).isEqualTo(13);
  }

  @Test
  void whatItStoresIsInMemoryAndWhatOthersStoredMeanwhileToo() {
    load("8907 8a1f 8907"); // mov [rdi], eax; mov bl, [rdi]; mov [rdi], eax
    state.gpr[CpuState.RDI] = 0x200ffe; // two pages
    state.gpr[CpuState.RAX] = 0x44332211;
    assertThat(execute()).isTrue();
    assertThat(vm.memory().readInt(0x200ffe)).isEqualTo(0x44332211);
    vm.memory().writeByte(0x200ffe, (byte) 0x99);
    assertThat(execute()).isTrue();
    assertThat(state.gpr[CpuState.RBX] & 0xff).isEqualTo(0x99);
    vm.memory().writeInt(0x201100, 77);
    assertThat(execute()).isTrue();
    assertThat(vm.memory().readInt(0x201100)).isEqualTo(77);
    assertThat(vm.memory().readInt(0x200ffe)).isEqualTo(0x44332211);
  }

  @Test
  void codeThatWasChangedIsExecutedAsItIsNow() {
    load("90 90");
    assertThat(execute()).isTrue();
    state.rip = CODE;
    vm.memory().writeByte(CODE, (byte) 0xf9); // stc
    assertThat(execute()).isTrue();
    assertThat(state.rflags & 1).isEqualTo(1);
  }

  @Test
  void anExceptionGoesToTheGuestsHandler() {
    load("cc"); // int3
    state.gdtBase = 0x40000;
    state.gdtLimit = 0x1f;
    vm.memory().writeLong(0x40010, 0x00af9b000000ffffL);
    vm.memory().writeLong(0x40018, 0x00cf93000000ffffL);
    state.idtBase = 0x50000;
    state.idtLimit = 0xfff;
    vm.memory().writeLong(0x50030, 0x00008e0000100000L | 0x3000 | 6L << 48);
    state.gpr[CpuState.RSP] = 0x70000;
    assertThat(execute()).isTrue();
    assertThat(state.rip).isEqualTo(0x63000);
    assertThat(vm.memory().readLong(state.gpr[CpuState.RSP]))
        .as("return address")
        .isEqualTo(CODE + 1);
  }

  @Test
  void floatingPointStateAndMsrsMove() {
    load("0fae17 0fc6c04e 0f01f9"); // ldmxcsr [rdi]; shufps xmm0, xmm0, 4eh; rdtscp
    vm.memory().writeInt(0x200000, 0x9fc0);
    state.gpr[CpuState.RDI] = 0x200000;
    for (int i = 0; i < 16; i++) {
      state.more.fxsave[160 + i] = (byte) i;
    }
    state.more.msrs[CpuState.More.MSRS.length - 1] = 42; // TSC_AUX
    state.more.msrs[0] = 5_000_000_000L; // TSC
    assertThat(execute()).isTrue();
    assertThat(state.more.fxsave[24] & 0xff).isEqualTo(0xc0);
    assertThat(state.more.fxsave[25] & 0xff).isEqualTo(0x9f);
    assertThat(execute()).isTrue();
    assertThat(state.more.fxsave[160]).isEqualTo((byte) 8);
    assertThat(execute()).isTrue();
    assertThat(state.gpr[CpuState.RCX]).isEqualTo(42);
    assertThat(state.gpr[CpuState.RDX] << 32 | state.gpr[CpuState.RAX])
        .isGreaterThanOrEqualTo(5_000_000_000L);
  }

  @Test
  void devicesAnswerWhatItAsks() {
    load("0f2807 0f2907"); // movaps xmm0, [rdi]; movaps [rdi], xmm0
    state.gpr[CpuState.RDI] = MemoryLayout.TEST_MMIO;
    assertThat(execute()).isTrue();
    assertThat(accesses).containsExactly("read at e0000000", "read at e0000008");
    assertThat(state.more.fxsave[160]).isEqualTo((byte) 0x55);
    accesses.clear();
    assertThat(execute()).isTrue();
    assertThat(accesses).containsExactly("write 85 at e0000000", "write 85 at e0000008");
  }

  @Test
  void whatIsNotImplementedHereEitherChangesNothing() {
    load("c5f877"); // vzeroupper
    assertThat(execute()).isFalse();
    assertThat(state.rip).isEqualTo(CODE);
    vm.memory().writeByte(CODE, (byte) 0x90);
    vm.memory().writeByte(CODE + 1, (byte) 0x90);
    assertThat(execute()).as("the next one").isTrue();
  }

  /** popcnt and int3, which the para-virtual KVM cannot do, and a debug exit with their result. */
  @Test
  void onKvmTheGuestGoesOn() {
    KvmProbe probe = KvmProbe.probe();
    assumeTrue(probe.usable(), "skipped: " + probe.explanation());
    // mov ebx, 0xf0; popcnt eax, ebx; out 0xf4, al; hlt
    byte[] code = HexFormat.of().parseHex("bbf0000000f30fb8c3e6f4f4");
    EventLog exits = new EventLog(0, 1 << 20);
    EventLog other = new EventLog(EventReader.NO_VCPU, 1 << 20);
    try (KvmHypervisor kvm = new KvmHypervisor();
        Machine machine =
            new Machine(
                MachineConfig.builder(kvm, new FlatLoader("test", code, CODE, CODE, Mode.LONG, ""))
                    .timeout(Duration.ofSeconds(60))
                    .build())) {
      RunResult result = machine.run(Sinks.of(index -> exits, other));
      assertThat(result.end()).as(result.text()).isEqualTo(RunEnd.DEBUG_EXIT);
      assertThat(result.detail()).isEqualTo(4);
      assertThat(result.events()).isEqualTo(exits.size() + other.size());
    }
    List<Long> emulated = new ArrayList<>();
    exits.forEach(
        event -> {
          if (event.type() == EventType.EMULATION) {
            emulated.add(event.get(Field.RIP));
          }
        });
    boolean paravirtual = probe.isParavirtual();
    assertThat(emulated).isEqualTo(paravirtual ? List.of(CODE + 5L) : List.of());
  }
}
