package io.trapscope.vmm.pc;

import static org.assertj.core.api.Assertions.assertThat;

import io.trapscope.vmm.device.Bus;
import io.trapscope.vmm.device.MachineControl;
import io.trapscope.vmm.device.ProcessorSignals;
import io.trapscope.vmm.device.Timers;
import io.trapscope.vmm.hypervisor.VmExit;
import io.trapscope.vmm.memory.ArrayMemory;
import io.trapscope.vmm.memory.MemoryLayout;
import io.trapscope.vmm.memory.MemoryRegion;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** The assembled PC, driven through its bus. */
class PcBoardTest {
  private static final int MEMORY = 4 << 20;

  private final Bus bus = new Bus();
  private final Timers timers = new Timers();
  private final List<String> ends = new ArrayList<>();
  private final StringBuilder console = new StringBuilder();
  private final MachineControl control =
      new MachineControl() {
        @Override
        public void reset(String cause) {
          ends.add("reset " + cause);
        }

        @Override
        public void powerOff(String cause) {
          ends.add("off " + cause);
        }

        @Override
        public void debugExit(long value) {
          ends.add("exit " + value);
        }
      };
  private final PcBoard board = new PcBoard();

  PcBoardTest() {
    List<MemoryRegion> ram = MemoryLayout.ram(MEMORY);
    bus.addRam(0, MEMORY, "ram-low");
    board.build(
        new Board.Slots(
            bus,
            timers,
            new ArrayMemory(MEMORY),
            ram,
            1,
            value -> console.append((char) value),
            control,
            ProcessorSignals.NONE,
            "default",
            0,
            null));
  }

  @Test
  void everyWayToEndARun() {
    bus.writePort(0x64, 1, 0xfe);
    bus.writePort(0x92, 1, 0x01);
    bus.writePort(0xcf9, 1, 0x06);
    bus.writePort(0xb004, 2, 5 << 10 | 1 << 13);
    bus.writePort(0xf4, 4, 7);
    assertThat(ends)
        .containsExactly("reset i8042", "reset port92", "reset cf9", "off ACPI S5", "exit 7");
    bus.writePort(0xb004, 2, 1 << 13);
    assertThat(ends).as("S0 with SLP_EN is no power-off").hasSize(5);
    assertThat(bus.readPort(0xb004, 2)).as("always in ACPI mode").isEqualTo(1);
  }

  @Test
  void thePowerManagementTimerCounts() {
    timers.advance(1_000_000_000);
    assertThat(bus.readPort(0xb008, 4)).isEqualTo(3_579_545);
    timers.advance(2_000_000_000_000L);
    assertThat(bus.readPort(0xb008, 4)).isEqualTo(3_579_545L * 2000 & 0xffff_ffffL);
  }

  @Test
  void consoleBothWays() {
    for (char c : "ok".toCharArray()) {
      bus.writePort(0x3f8, 1, c);
    }
    bus.writePort(0xe9, 1, '!');
    assertThat(console).hasToString("ok!");
    byte[] typed = "ls\n".getBytes(StandardCharsets.US_ASCII);
    assertThat(board.consoleInput(typed, 1, 2)).isEqualTo(2);
    assertThat(bus.readPort(0x3f8, 1)).isEqualTo('s');
    assertThat(board.consoleInput(new byte[10_000], 0, 10_000)).isEqualTo(4095);
    assertThat(board.consoleInput(typed, 0, 1)).as("the queue is full").isZero();
  }

  @Test
  void theTimerInterruptsThroughTheIoApic() {
    bus.writeMemory(0xfee000f0L, 4, 0x1ff);
    bus.writeMemory(0xfec00000L, 4, 0x14);
    bus.writeMemory(0xfec00010L, 4, 0x30);
    bus.writePort(0x43, 1, 0x34);
    bus.writePort(0x40, 1, 0xa9);
    bus.writePort(0x40, 1, 0x04);
    assertThat(board.interrupts().pending(0)).as("OUT rises with the control word").isTrue();
    assertThat(board.interrupts().acknowledge(0)).isEqualTo(0x30);
    bus.writeMemory(0xfee000b0L, 4, 0);
    timers.advance(timers.next());
    assertThat(board.interrupts().acknowledge(0)).isEqualTo(0x30);
    assertThat(timers.now()).isBetween(999_000L, 1_001_000L);
  }

  @Test
  void theApicFlagAndUnknownRegisters() {
    int[] result = new int[4];
    board.cpuid().query(0, 1, 0, result);
    assertThat(result[3] >> 9 & 1).isEqualTo(1);
    VmExit exit = new VmExit();
    exit.index = 0x1b;
    exit.value = 0xfee00100L;
    assertThat(board.msrs().write(0, exit)).isTrue();
    board.cpuid().query(0, 1, 0, result);
    assertThat(result[3] >> 9 & 1).isZero();
    exit.index = 0x999;
    assertThat(board.msrs().read(0, exit)).isFalse();
    assertThat(board.anomalies()).containsExactly("RDMSR of 0x999, which is not there: 1 times");
  }

  /** Any access, any value, any order: no exception, and time goes on. */
  @Test
  void randomAccessesNeverBreakADevice() {
    long seed = Long.getLong("trapscope.seed", new Random().nextLong());
    Random random = new Random(seed);
    List<Bus.Region> devices =
        bus.regions().stream().filter(r -> r.kind() == Bus.Kind.DEVICE).toList();
    int[] msrs = {0x10, 0x1b, 0x277, 0x6e0, 0x80b, 0x830, 0x832, 0x838, 0x4b564d00, 0x4b564d01};
    VmExit exit = new VmExit();
    try {
      for (int i = 0; i < 1_000_000; i++) {
        Bus.Region region = devices.get(random.nextInt(devices.size()));
        long address = region.base() + random.nextInt((int) Math.min(region.length(), 0x400));
        long value = random.nextLong() >>> random.nextInt(64);
        boolean port = region.space() == Bus.Space.PORTS;
        int size = 1 << random.nextInt(port ? 3 : 4);
        switch (random.nextInt(port ? 2 : 4)) {
          case 0 -> write(port, address, size, value);
          case 1 -> read(port, address, size);
          case 2 -> {
            exit.index = msrs[random.nextInt(msrs.length)];
            exit.value = value;
            board.msrs().write(0, exit);
          }
          default -> board.consoleInput(new byte[16], 0, random.nextInt(16));
        }
        if (random.nextInt(4) == 0) {
          timers.advance(timers.now() + random.nextInt(100_000));
        }
        if (board.interrupts().pending(0)) {
          assertThat(board.interrupts().acknowledge(0)).isBetween(0, 255);
        }
      }
    } catch (RuntimeException e) {
      throw new AssertionError("seed " + seed, e);
    }
  }

  private void write(boolean port, long address, int size, long value) {
    if (port) {
      bus.writePort((int) address, size, value);
    } else {
      bus.writeMemory(address, size, value);
    }
  }

  private void read(boolean port, long address, int size) {
    if (port) {
      bus.readPort((int) address, size);
    } else {
      bus.readMemory(address, size);
    }
  }
}
