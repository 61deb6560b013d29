package io.trapscope.vmm.soft.bench;

import io.trapscope.recorder.event.ExitReason;
import io.trapscope.vmm.soft.SoftGuest;
import io.trapscope.vmm.soft.VmxControls;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** Guest instructions a second in an integer loop, and the cost of an exit. */
@State(Scope.Thread)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 2)
@Fork(1)
public class InstructionBenchmark {
  private static final int INSTRUCTIONS = 1_000_000;

  /**
   * add rax,rcx; mov rdx,[rsi]; xor rdx,rax; mov [rsi],rdx; lea rbx,[rax+rcx*4]; imul rbx,rbx,7;
   * test rbx,rbx; js +3; inc r8; dec rcx; jmp back.
   */
  private static final String LOOP =
      "4801c8 488b16 4831c2 488916 488d1c88 486bdb07 4885db 7803 49ffc0 48ffc9 ebdf";

  /** mov dx,3f8; out dx,al; jmp back to the out. */
  private static final String PORT = "66baf803 ee ebfd";

  /** Whether hot code is compiled (tier 2) or always interpreted (tier 1). */
  @Param({"true", "false"})
  public boolean generateCode;

  private SoftGuest loop;
  private SoftGuest port;

  @Setup
  public void load() {
    VmxControls controls = new VmxControls(0, generateCode);
    loop = SoftGuest.long64(controls, LOOP);
    loop.state.gpr[6] = 0x5000;
    loop.set();
    port = SoftGuest.long64(controls, PORT);
    port.runTo(ExitReason.IO_INSTRUCTION);
  }

  /** Guest instructions a second. */
  @Benchmark
  @OperationsPerInvocation(INSTRUCTIONS)
  public long integerLoop() {
    loop.vcpu.setDeadline(loop.vcpu.guestNanos() + INSTRUCTIONS);
    do {
      loop.vcpu.run(loop.exit);
    } while (loop.exit.reason == ExitReason.EPT_VIOLATION
        && loop.vm.resolveEptViolation(loop.exit));
    return loop.exit.instructions;
  }

  /** Exits a second: OUT and a jump. */
  @Benchmark
  public long portWrite() {
    port.vcpu.run(port.exit);
    return port.exit.value;
  }
}
