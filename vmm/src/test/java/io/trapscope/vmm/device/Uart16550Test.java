package io.trapscope.vmm.device;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

/** Register sequences of the PC16550D data sheet, and those of Linux's 8250 driver. */
class Uart16550Test {
  private final Timers timers = new Timers();
  private final StringBuilder sent = new StringBuilder();
  private boolean irq;
  private int edges;
  private final Uart16550 uart =
      new Uart16550(
          "uart0",
          timers,
          asserted -> {
            edges += asserted && !irq ? 1 : 0;
            irq = asserted;
          },
          value -> sent.append((char) value));

  private int read(int register) {
    return (int) uart.read(register, 1);
  }

  private void write(int register, int value) {
    uart.write(register, 1, value);
  }

  private void receive(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.ISO_8859_1);
    uart.receive(bytes, 0, bytes.length);
  }

  @Test
  void whatIsWrittenIsSentAtOnce() {
    for (char c : "Hello".toCharArray()) {
      assertThat(read(5) & 0x60).isEqualTo(0x60);
      write(0, c);
    }
    assertThat(sent).hasToString("Hello");
    assertThat(irq).isFalse();
  }

  @Test
  void aDriverFindsA16550A() {
    write(2, 0x01);
    assertThat(read(2)).isEqualTo(0xc1);
    write(2, 0x00);
    assertThat(read(2)).isEqualTo(0x01);
    write(7, 0x5a);
    assertThat(read(7)).isEqualTo(0x5a);
    write(1, 0xff);
    assertThat(read(1)).isEqualTo(0x0f);
  }

  @Test
  void theDivisorLatchLiesOverDataAndInterruptEnable() {
    write(1, 0x05);
    write(3, 0x83);
    write(0, 0x0c);
    write(1, 0x01);
    assertThat(read(0)).isEqualTo(0x0c);
    assertThat(read(1)).isEqualTo(0x01);
    write(3, 0x03);
    assertThat(read(1)).isEqualTo(0x05);
    assertThat(sent).isEmpty();
  }

  @Test
  void theTransmitterInterruptComesOnEnablingAndAfterEachByte() {
    write(1, 0x02);
    assertThat(irq).isTrue();
    assertThat(read(2)).isEqualTo(0x02);
    assertThat(irq).as("reading IIR ends it").isFalse();
    assertThat(read(2)).isEqualTo(0x01);
    write(1, 0x00);
    write(1, 0x02);
    assertThat(irq).as("enabling it again raises it again").isTrue();
    write(0, 'x');
    assertThat(edges).as("each byte makes a new edge").isEqualTo(3);
    assertThat(read(2)).isEqualTo(0x02);
  }

  @Test
  void receivedDataInterruptsUntilItIsRead() {
    write(1, 0x01);
    receive("ab");
    assertThat(read(2)).isEqualTo(0x04);
    assertThat(read(5)).isEqualTo(0x61);
    assertThat(read(0)).isEqualTo('a');
    assertThat(irq).as("the next byte follows").isTrue();
    assertThat(read(0)).isEqualTo('b');
    assertThat(irq).isFalse();
    assertThat(read(5)).isEqualTo(0x60);
    assertThat(uart.unread()).isZero();
  }

  @Test
  void theFifoInterruptsAtItsTriggerOrAfterFourCharacterTimes() {
    write(2, 0x81);
    write(1, 0x01);
    receive("1234567");
    assertThat(irq).as("7 of 8").isFalse();
    assertThat(timers.next()).isEqualTo(4 * 10 * 8681L);
    timers.advance(timers.next());
    assertThat(read(2)).isEqualTo(0xcc);
    receive("8");
    assertThat(read(2)).isEqualTo(0xc4);
    read(0);
    assertThat(irq).as("a read restarts the time-out").isFalse();
  }

  @Test
  void moreThanTheFifoHoldsWaitsOutside() {
    write(2, 0x01);
    receive("0123456789abcdefghijk");
    StringBuilder got = new StringBuilder();
    while ((read(5) & 1) != 0) {
      got.append((char) read(0));
    }
    assertThat(got).hasToString("0123456789abcdefghijk");
    assertThat(read(5) & 2).as("no overrun").isZero();
  }

  @Test
  void inputWaitsForRequestToSend() {
    write(4, 0x08);
    receive("early");
    assertThat(read(5) & 1).isZero();
    write(2, 0x07);
    read(0);
    write(4, 0x0b);
    assertThat(read(0)).isEqualTo('e');
  }

  @Test
  void loopBackReturnsDataAndModemLines() {
    write(4, 0x1f);
    assertThat(read(6) & 0xf0).isEqualTo(0xf0);
    write(4, 0x1a);
    assertThat(read(6)).as("RTS and OUT2; DSR changed, RI ended").isEqualTo(0x96);
    write(0, 'q');
    assertThat(sent).isEmpty();
    assertThat(read(0)).isEqualTo('q');
    write(0, '1');
    write(0, '2');
    assertThat(read(5) & 0x02).as("overrun without FIFO").isEqualTo(0x02);
    assertThat(read(5) & 0x02).as("reading clears it").isZero();
  }

  @Test
  void interruptPriorities() {
    write(4, 0x10);
    write(1, 0x0f);
    write(0, '1');
    write(0, '2');
    assertThat(read(2)).as("line status first").isEqualTo(0x06);
    read(5);
    assertThat(read(2)).as("then received data").isEqualTo(0x04);
    read(0);
    assertThat(read(2)).as("then the transmitter").isEqualTo(0x02);
    assertThat(read(2)).as("then modem status").isEqualTo(0x00);
    read(6);
    assertThat(read(2)).isEqualTo(0x01);
    assertThat(irq).isFalse();
  }
}
