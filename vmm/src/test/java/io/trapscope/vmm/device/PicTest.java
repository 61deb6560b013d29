package io.trapscope.vmm.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Register sequences of the Intel 8259A data sheet on the PC's pair. */
class PicTest {
  private final Pic pic = new Pic();
  private final Device master = pic.masterPorts();
  private final Device slave = pic.slavePorts();
  private final Device elcr = pic.elcrPorts();

  @BeforeEach
  void initializeAsLinuxDoes() {
    initialize(0x11, 0x01);
  }

  private void initialize(int icw1, int icw4) {
    for (Device chip : new Device[] {master, slave}) {
      chip.write(0, 1, icw1);
      chip.write(1, 1, chip == master ? 0x20 : 0x28);
      chip.write(1, 1, chip == master ? 0x04 : 0x02);
      chip.write(1, 1, icw4);
    }
  }

  private void pulse(int irq) {
    pic.line(irq).set(false);
    pic.line(irq).set(true);
  }

  private int inService(Device chip) {
    chip.write(0, 1, 0x0b);
    return (int) chip.read(0, 1);
  }

  private int requests(Device chip) {
    chip.write(0, 1, 0x0a);
    return (int) chip.read(0, 1);
  }

  @Test
  void anEdgeInterruptsOnceWithItsVector() {
    assertThat(pic.pending(0)).isFalse();
    pulse(0);
    assertThat(pic.pending(0)).isTrue();
    assertThat(pic.pending(1)).isFalse();
    assertThat(pic.acknowledge(0)).isEqualTo(0x20);
    assertThat(pic.pending(0)).isFalse();
    assertThat(pic.acknowledge(0)).isEqualTo(-1);
    assertThat(inService(master)).isEqualTo(1);
    master.write(0, 1, 0x20);
    assertThat(inService(master)).isZero();
    assertThat(pic.pending(0)).as("the input is still high, but had no new edge").isFalse();
    pulse(0);
    assertThat(pic.acknowledge(0)).isEqualTo(0x20);
  }

  @Test
  void theMaskHoldsARequestBackAndKeepsIt() {
    master.write(1, 1, 0xff);
    pulse(4);
    assertThat(pic.pending(0)).isFalse();
    assertThat(requests(master)).isEqualTo(0x10);
    assertThat(master.read(1, 1)).isEqualTo(0xff);
    master.write(1, 1, 0xef);
    assertThat(pic.acknowledge(0)).isEqualTo(0x24);
  }

  @Test
  void aLowerLevelWaitsForTheEndOfTheHigherOne() {
    pulse(3);
    assertThat(pic.acknowledge(0)).isEqualTo(0x23);
    pulse(5);
    assertThat(pic.pending(0)).isFalse();
    pulse(1);
    assertThat(pic.acknowledge(0)).as("a higher one nests").isEqualTo(0x21);
    assertThat(inService(master)).isEqualTo(0x0a);
    master.write(0, 1, 0x20);
    assertThat(inService(master)).isEqualTo(0x08);
    assertThat(pic.pending(0)).isFalse();
    master.write(0, 1, 0x63);
    assertThat(pic.acknowledge(0)).isEqualTo(0x25);
  }

  @Test
  void theSlaveAnswersThroughTheCascade() {
    pulse(8);
    pulse(14);
    assertThat(pic.acknowledge(0)).isEqualTo(0x28);
    assertThat(inService(master)).isEqualTo(0x04);
    assertThat(inService(slave)).isEqualTo(0x01);
    slave.write(0, 1, 0x20);
    assertThat(pic.pending(0)).as("the master's IR2 is still in service").isFalse();
    master.write(0, 1, 0x20);
    assertThat(pic.acknowledge(0)).isEqualTo(0x2e);
  }

  @Test
  void specialFullyNestedModeLetsAHigherSlaveInputNest() {
    initialize(0x11, 0x11);
    pulse(14);
    assertThat(pic.acknowledge(0)).isEqualTo(0x2e);
    pulse(8);
    assertThat(pic.acknowledge(0)).isEqualTo(0x28);
  }

  @Test
  void aRequestThatGoesAwayIsSpurious() {
    pic.line(4).set(true);
    pic.line(4).set(false);
    assertThat(pic.pending(0)).isFalse();
    assertThat(pic.interruptAcknowledge()).isEqualTo(0x27);
    assertThat(inService(master)).isZero();
    pic.line(9).set(true);
    slave.write(1, 1, 0xff);
    pic.line(9).set(false);
    assertThat(pic.pending(0)).isFalse();
  }

  @Test
  void automaticEndOfInterruptLeavesNothingInService() {
    initialize(0x11, 0x03);
    pulse(6);
    assertThat(pic.acknowledge(0)).isEqualTo(0x26);
    assertThat(inService(master)).isZero();
    pulse(7);
    assertThat(pic.acknowledge(0)).isEqualTo(0x27);
  }

  @Test
  void rotationMovesTheServedInputToTheEnd() {
    pulse(0);
    assertThat(pic.acknowledge(0)).isEqualTo(0x20);
    master.write(0, 1, 0xa0);
    pulse(0);
    pulse(1);
    assertThat(pic.acknowledge(0)).as("IR0 is now the lowest").isEqualTo(0x21);
    master.write(0, 1, 0xe1);
    assertThat(pic.acknowledge(0)).isEqualTo(0x20);
    master.write(0, 1, 0x20);
    master.write(0, 1, 0xc5);
    pulse(5);
    pulse(6);
    assertThat(pic.acknowledge(0)).as("set priority: IR5 lowest, IR6 highest").isEqualTo(0x26);
  }

  @Test
  void rotationOnAutomaticEndOfInterrupt() {
    initialize(0x11, 0x03);
    master.write(0, 1, 0x80);
    pulse(0);
    assertThat(pic.acknowledge(0)).isEqualTo(0x20);
    pulse(0);
    pulse(4);
    assertThat(pic.acknowledge(0)).isEqualTo(0x24);
    assertThat(pic.acknowledge(0)).isEqualTo(0x20);
  }

  @Test
  void specialMaskModeEnablesLowerLevels() {
    pulse(3);
    assertThat(pic.acknowledge(0)).isEqualTo(0x23);
    master.write(1, 1, 0x08);
    pulse(5);
    assertThat(pic.pending(0)).isFalse();
    master.write(0, 1, 0x68);
    assertThat(pic.acknowledge(0)).isEqualTo(0x25);
    master.write(0, 1, 0x20);
    assertThat(inService(master)).as("the masked level is not ended").isEqualTo(0x08);
    master.write(0, 1, 0x48);
    pulse(6);
    assertThat(pic.pending(0)).isFalse();
  }

  @Test
  void levelTriggeredInputsRequestForAsLongAsTheyAreHigh() {
    elcr.write(1, 1, 0x0c);
    assertThat(elcr.read(1, 1)).isEqualTo(0x0c);
    elcr.write(0, 1, 0xff);
    assertThat(elcr.read(0, 1)).as("IRQ 0 to 2 stay edge").isEqualTo(0xf8);
    pic.line(10).set(true);
    assertThat(pic.acknowledge(0)).isEqualTo(0x2a);
    slave.write(0, 1, 0x20);
    master.write(0, 1, 0x20);
    assertThat(pic.acknowledge(0)).isEqualTo(0x2a);
    pic.line(10).set(false);
    slave.write(0, 1, 0x20);
    master.write(0, 1, 0x20);
    assertThat(pic.pending(0)).isFalse();
  }

  @Test
  void pollAcknowledgesAndNamesTheLevel() {
    pulse(6);
    master.write(0, 1, 0x0c);
    assertThat(master.read(0, 1)).isEqualTo(0x86);
    assertThat(inService(master)).isEqualTo(0x40);
    master.write(0, 1, 0x0c);
    assertThat(master.read(0, 1)).isZero();
  }

  @Test
  void initializationForgetsEverything() {
    pulse(1);
    pic.acknowledge(0);
    pulse(3);
    initialize(0x11, 0x01);
    assertThat(inService(master)).isZero();
    assertThat(requests(master)).isZero();
    assertThat(master.read(1, 1)).isZero();
  }

  @Test
  void theCascadeInputHasNoWire() {
    assertThatThrownBy(() -> pic.line(2)).isInstanceOf(IllegalArgumentException.class);
  }
}
