package io.trapscope.vmm.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The small registers of the chip set: keyboard controller, resets, PCI configuration. */
class ChipsetTest {
  private final List<String> events = new ArrayList<>();
  private final MachineControl power =
      new MachineControl() {
        @Override
        public void reset(String by) {
          events.add("reset " + by);
        }

        @Override
        public void powerOff(String by) {
          events.add("off " + by);
        }

        @Override
        public void debugExit(long value) {
          events.add("debug exit " + value);
        }
      };
  private final I8042 i8042 = new I8042(power);
  private final PciHost pci = new PciHost(power);

  private int command(int value) {
    i8042.commandPort().write(0, 1, value);
    assertThat(i8042.commandPort().read(0, 1) & 1).as("output full").isEqualTo(1);
    int answer = (int) i8042.dataPort().read(0, 1);
    assertThat(i8042.commandPort().read(0, 1) & 1).as("output taken").isZero();
    return answer;
  }

  @Test
  void theKeyboardControllerAnswersAboutItself() {
    assertThat(command(0xaa)).isEqualTo(0x55);
    assertThat(command(0xab)).isZero();
    assertThat(command(0xa9)).as("no mouse port").isEqualTo(1);
    i8042.commandPort().write(0, 1, 0x60);
    i8042.dataPort().write(0, 1, 0x45);
    assertThat(command(0x20)).isEqualTo(0x45);
    i8042.dataPort().write(0, 1, 0xf2);
    assertThat(i8042.commandPort().read(0, 1) & 1).as("no keyboard answers").isZero();
    assertThat(events).isEmpty();
  }

  @Test
  void theKeyboardControllerResets() {
    i8042.commandPort().write(0, 1, 0xff);
    assertThat(events).isEmpty();
    i8042.commandPort().write(0, 1, 0xfe);
    i8042.commandPort().write(0, 1, 0xd1);
    i8042.dataPort().write(0, 1, 0xdf);
    assertThat(events).hasSize(1);
    i8042.commandPort().write(0, 1, 0xd1);
    i8042.dataPort().write(0, 1, 0xde);
    assertThat(events).containsExactly("reset i8042", "reset i8042");
  }

  @Test
  void portA() {
    ControlPortA port = new ControlPortA(power);
    assertThat(port.read(0, 1)).isEqualTo(2);
    port.write(0, 1, 0x00);
    assertThat(port.read(0, 1)).as("A20 stays open").isEqualTo(2);
    port.write(0, 1, 0x03);
    assertThat(events).containsExactly("reset port92");
  }

  @Test
  void configurationMechanismOne() {
    pci.write(0, 4, 0x8000_0000L);
    assertThat(pci.read(0, 4)).isEqualTo(0x8000_0000L);
    assertThat(pci.read(4, 4)).isEqualTo(0x0d57_8086L);
    assertThat(pci.read(6, 2)).isEqualTo(0x0d57);
    pci.write(0, 4, 0x8000_0008L);
    assertThat(pci.read(7, 1)).isEqualTo(0x06);
    pci.write(0, 4, 0x8000_0800L);
    assertThat(pci.read(4, 4)).as("nothing at 00:01.0").isEqualTo(0xffff_ffffL);
    pci.write(0, 4, 0x8001_0000L);
    assertThat(pci.read(4, 2)).as("no bus 1").isEqualTo(0xffff);
    pci.write(0, 4, 0);
    assertThat(pci.read(4, 4)).as("not enabled").isEqualTo(0xffff_ffffL);
  }

  @Test
  void functionsSeeTheirRegisters() {
    List<String> seen = new ArrayList<>();
    pci.add(
        3,
        1,
        new PciFunction() {
          @Override
          public int readConfig(int register, int size) {
            return register;
          }

          @Override
          public void writeConfig(int register, int size, int value) {
            seen.add(register + "/" + size + "=" + value);
          }
        });
    pci.write(0, 4, 0x8000_1910L);
    assertThat(pci.read(6, 2)).isEqualTo(0x12);
    pci.write(5, 1, 7);
    assertThat(seen).containsExactly("17/1=7");
    assertThatThrownBy(() -> pci.add(0, 0, null)).isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void resetControlRegister() {
    pci.write(1, 1, 0x02);
    assertThat(events).isEmpty();
    pci.write(1, 1, 0x06);
    assertThat(events).containsExactly("reset cf9");
    assertThat(pci.read(1, 1)).isEqualTo(6);
    pci.write(0, 4, 0x8000_0600L);
    assertThat(events).as("a dword is the configuration address").hasSize(1);
  }

  @Test
  void debugPorts() {
    StringBuilder text = new StringBuilder();
    DebugConsole console = new DebugConsole(value -> text.append((char) value));
    console.write(0, 1, 'k');
    assertThat(console.read(0, 1)).isEqualTo(0xe9);
    assertThat(text).hasToString("k");
    DmaPages pages = new DmaPages();
    pages.write(6, 1, 0x42);
    assertThat(pages.read(6, 1)).isEqualTo(0x42);
    assertThat(pages.read(7, 1)).isZero();
  }
}
