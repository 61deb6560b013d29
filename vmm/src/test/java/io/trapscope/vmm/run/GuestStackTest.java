package io.trapscope.vmm.run;

import static org.assertj.core.api.Assertions.assertThat;

import io.trapscope.vmm.hypervisor.CpuState;
import io.trapscope.vmm.hypervisor.Vcpu;
import io.trapscope.vmm.memory.ArrayMemory;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Chains of frames as a guest leaves them in memory, in each paging mode. */
class GuestStackTest {
  private static final int CODE_64 = 0xa09b;
  private static final int CODE_32 = 0xc09b;
  private static final long EFER_LMA = 1 << 10;
  private static final long PE = 1;
  private static final long PG = 1L << 31;
  private static final long PAE = 1 << 5;
  private static final long PSE = 1 << 4;

  private final ArrayMemory memory = new ArrayMemory(1 << 20);
  private final CpuState state = new CpuState();

  private List<String> walk(int depth) {
    Vcpu vcpu =
        (Vcpu)
            Proxy.newProxyInstance(
                Vcpu.class.getClassLoader(),
                new Class<?>[] {Vcpu.class},
                (proxy, method, arguments) -> {
                  copy(state, (CpuState) arguments[0]);
                  return null;
                });
    GuestStack stack = new GuestStack(vcpu, memory, depth);
    stack.walk();
    ByteBuffer found =
        ByteBuffer.wrap(stack.bytes(), 0, stack.length()).order(ByteOrder.LITTLE_ENDIAN);
    List<String> addresses = new ArrayList<>();
    while (found.hasRemaining()) {
      addresses.add(Long.toHexString(found.getLong()));
    }
    return addresses;
  }

  private static void copy(CpuState from, CpuState to) {
    System.arraycopy(from.gpr, 0, to.gpr, 0, 16);
    to.segments[CpuState.CS].access = from.segments[CpuState.CS].access;
    to.cr0 = from.cr0;
    to.cr3 = from.cr3;
    to.cr4 = from.cr4;
    to.efer = from.efer;
  }

  /** Long mode: 0xffff8000_00000000 on is mapped to 0x40000, a page. */
  private void longMode() {
    state.segments[CpuState.CS].access = CODE_64;
    state.cr0 = PE | PG;
    state.efer = EFER_LMA;
    state.cr3 = 0x1000;
    memory.writeLong(0x1000 + 8 * 256, 0x2003);
    memory.writeLong(0x2000, 0x3003);
    memory.writeLong(0x3000, 0x4003);
    memory.writeLong(0x4000, 0x40003);
    memory.writeLong(0x4008, 0x50003);
  }

  private static final long BASE = 0xffff_8000_0000_0000L;

  private void frame(long at, long next, long back) {
    memory.writeLong(0x40000 + at, next == 0 ? 0 : BASE + next);
    memory.writeLong(0x40000 + at + 8, back);
  }

  @Test
  void followsFramesToTheEndOfTheChain() {
    longMode();
    state.gpr[CpuState.RSP] = BASE + 0x100;
    state.gpr[CpuState.RBP] = BASE + 0x120;
    frame(0x120, 0x180, 0xffff_ffff_8100_1000L);
    frame(0x180, 0x200, 0xffff_ffff_8100_2000L);
    frame(0x200, 0, 0xffff_ffff_8100_3000L);
    assertThat(walk(64))
        .containsExactly("ffffffff81001000", "ffffffff81002000", "ffffffff81003000");
    assertThat(walk(2)).hasSize(2);
  }

  @Test
  void aRegisterThatIsNoFramePointerLeadsNowhere() {
    longMode();
    state.gpr[CpuState.RSP] = BASE + 0x100;
    for (long rbp : new long[] {0, BASE + 0x80, BASE + 0x121, BASE + (1 << 21), 0x1234}) {
      state.gpr[CpuState.RBP] = rbp;
      assertThat(walk(64)).as(Long.toHexString(rbp)).isEmpty();
    }
  }

  @Test
  void loopsAndWildFramesEnd() {
    longMode();
    state.gpr[CpuState.RSP] = BASE + 0x100;
    state.gpr[CpuState.RBP] = BASE + 0x120;
    frame(0x120, 0x120, 0xffff_ffff_8100_1000L);
    assertThat(walk(64)).containsExactly("ffffffff81001000");
    frame(0x120, 0xff8, 0xffff_ffff_8100_1000L); // crosses into a page that is mapped elsewhere
    memory.writeLong(0x40ff8, 0);
    memory.writeLong(0x50000, 0xffff_ffff_8100_2000L);
    assertThat(walk(64)).containsExactly("ffffffff81001000", "ffffffff81002000");
    frame(0x120, 0x1ff8, 0xffff_ffff_8100_1000L); // crosses into one that is not mapped
    assertThat(walk(64)).containsExactly("ffffffff81001000");
    frame(0x120, 0x180, 0x1234_5678_9abc_def0L); // no canonical address
    assertThat(walk(64)).isEmpty();
  }

  /** Linux: a frame pointer plus 1 is where the registers of what was interrupted lie. */
  @Test
  void goesOnInWhatAnInterruptInterrupted() {
    longMode();
    state.gpr[CpuState.RSP] = BASE + 0x100;
    state.gpr[CpuState.RBP] = BASE + 0x120;
    frame(0x120, 0x201, 0xffff_ffff_8100_1000L);
    memory.writeLong(0x40200 + 32, BASE + 0x880); // bp
    memory.writeLong(0x40200 + 128, 0xffff_ffff_8100_2000L); // ip
    memory.writeLong(0x40200 + 136, 0x33); // cs: user mode
    memory.writeLong(0x40200 + 152, BASE + 0x860); // sp
    frame(0x880, 0, 0x40_1234);
    assertThat(walk(64)).containsExactly("ffffffff81001000", "ffffffff81002000", "401234");
  }

  private void narrowFrames(long linear, int gpa) {
    state.segments[CpuState.CS].access = CODE_32;
    state.gpr[CpuState.RSP] = linear + 0x10;
    state.gpr[CpuState.RBP] = linear + 0x20;
    memory.writeInt(gpa + 0x20, (int) linear + 0x40);
    memory.writeInt(gpa + 0x24, 0xc010_1000);
    memory.writeInt(gpa + 0x40, 0);
    memory.writeInt(gpa + 0x44, 0xc010_2000);
  }

  @Test
  void protectedModeWithoutPaging() {
    state.cr0 = PE;
    narrowFrames(0x6000, 0x6000);
    assertThat(walk(64)).containsExactly("c0101000", "c0102000");
  }

  @Test
  void legacyPagingWithSmallAndLargePages() {
    state.cr0 = PE | PG;
    state.cr3 = 0x1000;
    memory.writeInt(0x1000 + 4 * 0x300, 0x2003);
    memory.writeInt(0x2000 + 4 * 5, 0x6003);
    narrowFrames(0xc000_5000L, 0x6000);
    assertThat(walk(64)).containsExactly("c0101000", "c0102000");
    memory.writeInt(0x1000 + 4 * 0x301, 0x83); // 4 MiB at 0
    state.cr4 = PSE;
    narrowFrames(0xc040_7000L, 0x7000);
    assertThat(walk(64)).containsExactly("c0101000", "c0102000");
  }

  @Test
  void physicalAddressExtension() {
    state.cr0 = PE | PG;
    state.cr4 = PAE;
    state.cr3 = 0x1020;
    memory.writeLong(0x1020 + 8 * 3, 0x2001);
    memory.writeLong(0x2000, 0x3003);
    memory.writeLong(0x3000 + 8 * 5, 0x6003);
    narrowFrames(0xc000_5000L, 0x6000);
    assertThat(walk(64)).containsExactly("c0101000", "c0102000");
  }

  /** 16-bit code has no frames that one could know. */
  @Test
  void realModeHasNone() {
    narrowFrames(0x6000, 0x6000);
    assertThat(walk(64)).isEmpty();
  }
}
