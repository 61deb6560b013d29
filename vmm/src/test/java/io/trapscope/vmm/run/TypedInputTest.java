package io.trapscope.vmm.run;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class TypedInputTest {
  private final TypedInput input = new TypedInput();
  private int changes;

  @Test
  void nothingTypedWakesNobody() {
    input.onChange(() -> changes++);

    input.offer(new byte[0], 0, 0);

    assertThat(changes).isZero();
    assertThat(input.isWaiting(0)).isFalse();
    assertThat(input.wakesAt()).isEqualTo(Long.MAX_VALUE);
  }

  @Test
  void bytesWaitUntilTheyAreTaken() {
    input.onChange(() -> changes++);
    byte[] to = new byte[8];

    input.offer(new byte[] {1, 2, 3}, 1, 2);
    input.close();

    assertThat(changes).isEqualTo(2);
    assertThat(input.wakesAt()).isZero();
    assertThat(input.peek(to)).isEqualTo(2);
    input.take(1);
    assertThat(input.isOpen()).isTrue();
    assertThat(input.peek(to)).isEqualTo(1);
    assertThat(to[0]).isEqualTo((byte) 3);
    input.take(1);
    assertThat(input.isWaiting(0)).isFalse();
    assertThat(input.isOpen()).isFalse();
  }
}
