package io.trapscope.vmm.soft.differential;

import static org.assertj.core.api.Assertions.assertThat;

import io.trapscope.vmm.soft.decode.Opcode;
import java.util.HexFormat;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** An instruction set that the CPU model lacks is #UD; without the flag it runs. */
class AbsentFeaturesTest {
  private static final int UD = 6;
  private static final int BREAKPOINT = 3;

  @ParameterizedTest
  @CsvSource({
    "addsubps, f20fd0c1, SSE3",
    "haddpd, 660f7cc1, SSE3",
    "pshufb, 660f3800c1, SSSE3",
    "palignr mm, 0f3a0fc103, SSSE3",
    "pmulld, 660f3840c1, SSE4_1",
    "roundps, 660f3a08c100, SSE4_1",
    "pcmpgtq, 660f3837c1, SSE4_2",
    "pcmpistri, 660f3a63c100, SSE4_2",
    "crc32, f20f38f1c1, SSE4_2",
    "popcnt, f30fb8c1, POPCNT"
  })
  void isUndefined(String name, String code, String feature) throws Exception {
    TestCase test = new TestCase();
    test.instructions.add(HexFormat.of().parseHex(code));
    int flag = Opcode.class.getField(feature).getInt(null);
    assertThat(SoftRunner.without(flag).run(test).vector).as(name).isEqualTo(UD);
    assertThat(SoftRunner.without(0).run(test).vector).as(name).isEqualTo(BREAKPOINT);
  }
}
