package io.trapscope.recorder.tracepoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TracepointFormatTest {
  private static final String TEXT =
      """
      name: demo
      ID: 321
      format:
      \tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;
      \tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;

      \tfield:u64 * sptep;\toffset:8;\tsize:8;\tsigned:0;
      \tfield:__u8 insn[15];\toffset:16;\tsize:15;\tsigned:0;
      \tfield:signed char u;\toffset:31;\tsize:1;\tsigned:1;
      \tfield:__data_loc char[] comm;\toffset:32;\tsize:4;\tsigned:0;
      \tfield:unsigned int plain;\toffset:36;\tsize:4;
      \tfield:char tag[TAG_LEN];\toffset:40;\tsize:4;\tsigned:0;

      print fmt: "field:not a field;", REC->u
      """;

  @Test
  void everyKindOfDeclarationIsUnderstood() {
    TracepointFormat format = TracepointFormat.parse(TEXT);
    assertThat(format.name()).isEqualTo("demo");
    assertThat(format.id()).isEqualTo(321);
    assertThat(format.fields())
        .containsExactly(
            new TracepointFormat.Field("common_type", "unsigned short", 0, 2, false, 1),
            new TracepointFormat.Field("common_pid", "int", 4, 4, true, 1),
            new TracepointFormat.Field("sptep", "u64 *", 8, 8, false, 1),
            new TracepointFormat.Field("insn", "__u8", 16, 15, false, 15),
            new TracepointFormat.Field("u", "signed char", 31, 1, true, 1),
            new TracepointFormat.Field("comm", "__data_loc char[]", 32, 4, false, 1),
            new TracepointFormat.Field("plain", "unsigned int", 36, 4, false, 1),
            new TracepointFormat.Field("tag", "char", 40, 4, false, 0));
    assertThat(format.field("nothing")).isNull();
  }

  @Test
  void aRecordAsText() {
    ByteBuffer raw = ByteBuffer.allocate(80).order(ByteOrder.LITTLE_ENDIAN);
    int at = 8;
    raw.putLong(at + 8, -2).put(at + 16, (byte) 0xf3).put(at + 31, (byte) -1);
    raw.putInt(at + 32, 44 | 6 << 16).putInt(at + 36, 7);
    raw.put(at + 44, "qemu\0x".getBytes(StandardCharsets.US_ASCII));
    assertThat(TracepointFormat.parse(TEXT).text(raw, at, 56))
        .isEqualTo(
            "demo sptep=0xfffffffffffffffe insn=f30000000000000000000000000000 u=-1 comm=qemu"
                + " plain=7 tag=00000000");
  }

  @Test
  void aRecordThatEndsEarlyShowsWhatThereIs() {
    ByteBuffer raw = ByteBuffer.allocate(36).order(ByteOrder.LITTLE_ENDIAN);
    raw.putInt(32, 0x2c | 0x7fff << 16);
    assertThat(TracepointFormat.parse(TEXT).text(raw, 0, 36))
        .isEqualTo("demo sptep=0x0 insn=000000000000000000000000000000 u=0 comm=");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "name: x\nID: 5\n",
        "ID: 5\n\tfield:int a;\toffset:0;\tsize:4;\tsigned:1;\n",
        "name: x\n\tfield:int a;\toffset:0;\tsize:4;\tsigned:1;\n",
        "name: x\nID: 5\n\tfield:int a;\toffset:70000;\tsize:4;\tsigned:1;\n",
        "name: x\nID: 5\n\tfield:;\toffset:0;\tsize:4;\tsigned:1;\n"
      })
  void whatIsNoFormatIsRefusedInOneLine(String text) {
    assertThatThrownBy(() -> TracepointFormat.parse(text))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("no f")
        .hasMessageNotContaining("\n");
  }

  @Test
  void theTableKnowsEachTracepointByItsName() {
    for (KvmTracepoint tracepoint : KvmTracepoint.values()) {
      assertThat(KvmTracepoint.named(tracepoint.title())).isSameAs(tracepoint);
      assertThat(KvmTracepoint.named(tracepoint.system() + ":" + tracepoint.title()))
          .isSameAs(tracepoint);
      assertThat(Kernel.formats("6.18")).containsKey(tracepoint.title());
    }
    assertThat(KvmTracepoint.named("sched_switch")).isNull();
  }
}
