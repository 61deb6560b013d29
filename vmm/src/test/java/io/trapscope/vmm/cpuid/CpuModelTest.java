package io.trapscope.vmm.cpuid;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** CPUID leaves against the SDM's tables. */
class CpuModelTest {
  private final CpuModel model = CpuModel.of("default");

  private static int[] query(CpuModel model, int leaf, int subleaf, int apicId, int cpus) {
    int[] result = {-1, -1, -1, -1};
    model.query(leaf, subleaf, apicId, cpus, true, 1_000_000_000L, result);
    return result;
  }

  private int[] query(int leaf) {
    return query(model, leaf, 0, 0, 1);
  }

  private static String text(int... words) {
    ByteBuffer bytes = ByteBuffer.allocate(4 * words.length).order(ByteOrder.LITTLE_ENDIAN);
    for (int word : words) {
      bytes.putInt(word);
    }
    return new String(bytes.array(), StandardCharsets.US_ASCII);
  }

  @Test
  void names() {
    int[] vendor = query(0);
    assertThat(vendor[0]).isEqualTo(0x16);
    assertThat(text(vendor[1], vendor[3], vendor[2])).isEqualTo("GenuineIntel");
    int[] hypervisor = query(0x4000_0000);
    assertThat(text(hypervisor[1], hypervisor[2], hypervisor[3])).isEqualTo("KVMKVMKVM\0\0\0");
    String brand = text(query(0x8000_0002)) + text(query(0x8000_0003)) + text(query(0x8000_0004));
    assertThat(brand).hasSize(48).endsWith("\0");
    assertThat(brand.trim()).isEqualTo("Trapscope virtual x86-64 processor");
  }

  @Test
  void featureBitsOfTheDefaultModel() {
    int[] one = query(1);
    assertThat(one[3]).isEqualTo(0x0f8b_fbff);
    assertThat(one[2]).isEqualTo(0x8120_2001);
    assertThat(query(7)).containsExactly(2, 0x0010_0280, 0, 0x2400_0000);
    assertThat(query(model, 7, 2, 0, 1)).containsExactly(0, 0, 0, 0x10);
    assertThat(query(model, 7, 1, 0, 1)).containsExactly(0, 0, 0, 0);
    assertThat(query(0x8000_0001)).containsExactly(0, 0, 1, 0x2c10_0800);
    assertThat(query(0x8000_0007)).containsExactly(0, 0, 0, 0x100);
    assertThat(query(0x8000_0008)[0]).isEqualTo(40 | 48 << 8);
    assertThat(query(0x4000_0001)[0]).isEqualTo(0x0100_000b);
    assertThat(query(6)).containsExactly(4, 0, 0, 0);
  }

  @Test
  void theApicFlagFollowsTheBaseRegister() {
    int[] result = new int[4];
    model.query(1, 0, 0, 1, false, 1_000_000_000L, result);
    assertThat(result[3] & 1 << 9).isZero();
  }

  @Test
  void ratesAreToldSoThatNobodyMeasures() {
    int[] crystal = query(0x15);
    long tsc = Integer.toUnsignedLong(crystal[2]) * crystal[1] / crystal[0];
    assertThat(tsc).isEqualTo(1_000_000_000L);
    assertThat(crystal).as("kHz times numerator fits in 32 bits").startsWith(1, 1);
    int[] faster = new int[4];
    model.query(0x15, 0, 0, 1, true, 2_500_000_000L, faster);
    assertThat(faster).startsWith(2, 5);
    assertThat(query(0x16)[0]).isEqualTo(1000);
    assertThat(query(0x4000_0010)).containsExactly(1_000_000, 1_000_000, 0, 0);
  }

  @Test
  void topologyCountsTheCpus() {
    assertThat(query(model, 1, 0, 3, 4)[1]).isEqualTo(3 << 24 | 4 << 16 | 8 << 8);
    assertThat(query(model, 0xb, 0, 3, 4)).containsExactly(0, 1, 0x100, 3);
    assertThat(query(model, 0xb, 1, 3, 4)).containsExactly(2, 4, 0x201, 3);
    assertThat(query(model, 0xb, 2, 3, 4)).containsExactly(0, 0, 2, 3);
    assertThat(query(model, 4, 0, 0, 1)).containsExactly(0x121, 7 << 22 | 63, 63, 0);
    assertThat(query(model, 4, 3, 0, 1)).containsExactly(0, 0, 0, 0);
  }

  @Test
  void aLeafPastTheLastAnswersAsTheHighestBasicOne() {
    for (int leaf : new int[] {0x17, 0x3fff_ffff, 0x4000_0011, 0x8000_0009, 0xffff_ffff}) {
      assertThat(query(leaf)).isEqualTo(query(0x16));
    }
  }

  @Test
  void thirtyTwoBitModelHasNoLongMode() {
    CpuModel i686 = CpuModel.of("i686");
    assertThat(query(i686, 0x8000_0001, 0, 0, 1)[3]).isEqualTo(1 << 20);
    assertThat(query(i686, 0x8000_0008, 0, 0, 1)[0]).isEqualTo(36 | 32 << 8);
  }

  @Test
  void anUnknownModelIsAUsersError() {
    assertThatThrownBy(() -> CpuModel.of("z80"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("no CPU model 'z80'; there are default, x86-64-v2, i686");
  }

  @ParameterizedTest
  @EnumSource(CpuFeature.class)
  void everyFlagShowsExactlyWhereTheModelHasIt(CpuFeature feature) {
    for (CpuModel each : CpuModel.all()) {
      int word = query(each, feature.leaf(), 0, 0, 1)[feature.register().ordinal()];
      assertThat(word >>> feature.bit() & 1).isEqualTo(each.has(feature) ? 1 : 0);
    }
  }
}
