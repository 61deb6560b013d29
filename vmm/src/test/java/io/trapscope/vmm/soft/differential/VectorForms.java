package io.trapscope.vmm.soft.differential;

/** x87, MMX and SSE instructions for the generator. */
final class VectorForms {
  private VectorForms() {}

  static final String X87 =
      """
      x87 D8 rm
      x87 DC rm
      x87 DA m
      x87 DE m
      x87 D9 /0 rm
      x87 D9 /1 r
      x87 D9 /2 m
      x87 D9 /3 rm
      x87 D9 /5 m
      x87 D9 /7 m
      x87 D9 D0
      x87 D9 E0..E1
      x87 D9 E4..E5
      x87 D9 E8..EE
      x87 D9 F4..F8
      x87 D9 FA
      x87 D9 FC..FD
      x87 DA C0..DF reads=CF,ZF,PF
      x87 DA E9
      x87 DB C0..DF reads=CF,ZF,PF
      x87 DB E2..E3
      x87 DB E8..F7 sets=all
      x87 DB /0 m
      x87 DB /1 m
      x87 DB /2 m
      x87 DB /3 m
      x87 DB /5 m
      x87 DB /7 m
      x87 DD C0..DF
      x87 DD E0..EF
      x87 DD /0 m
      x87 DD /1 m
      x87 DD /2 m
      x87 DD /3 m
      x87 DD /7 m
      x87 DE C0..D7
      x87 DE D9
      x87 DE E0..FF
      x87 DF C0..DF
      x87 DF E0
      x87 DF E8..F7 sets=all
      x87 DF /0 m
      x87 DF /1 m
      x87 DF /2 m
      x87 DF /3 m
      x87 DF /4 m
      x87 DF /5 m
      x87 DF /6 m
      x87 DF /7 m
      x87 9B
      x87state D9 /4 m data v16
      x87state D9 /6 m data v16 intel
      x87state DD /4 m data v16
      x87state DD /6 m data v16 intel
      x87state 0F AE /0 m data16 y intel
      x87state 0F AE /1 m data16 y first
      x87state D9 FA
      x87state D8 /0 rm
      x87approx D9 F0 approx small
      x87approx D9 F1..F3 approx
      x87approx D9 F9 approx small
      x87approx D9 FB approx
      x87approx D9 FE..FF approx
      """;

  static final String MMX =
      """
      mmx 0F 60..6B rm
      mmx 0F 6E rm y
      mmx 0F 6F rm
      mmx 0F 70 rm ib
      mmx 0F 71 /2 r ib
      mmx 0F 71 /4 r ib
      mmx 0F 71 /6 r ib
      mmx 0F 72 /2 r ib
      mmx 0F 72 /4 r ib
      mmx 0F 72 /6 r ib
      mmx 0F 73 /2 r ib
      mmx 0F 73 /6 r ib
      mmx 0F 74..76 rm
      mmx 0F 77
      mmx 0F 7E rm y
      mmx 0F 7F rm
      mmx 0F C4 rm ib
      mmx 0F C5 r ib
      mmx 0F D1..D5 rm
      mmx 0F D7 r
      mmx 0F D8..E5 rm
      mmx 0F E7 m
      mmx 0F E8..EF rm
      mmx 0F F1..F6 rm
      mmx 0F F7 r loosefault
      mmx 0F F8..FE rm
      """;

  static final String SSE =
      """
      sse 0F 10..11 rm
      sse F3 0F 10..11 rm
      sse 0F 12 rm
      sse 0F 13 m
      sse 0F 14..15 rm a16
      sse 0F 16 rm
      sse 0F 17 m
      sse 0F 28..29 rm a16
      sse 0F 2A rm
      sse F3 0F 2A rm y
      sse 0F 2B m a16
      sse 0F 2C..2D rm
      sse F3 0F 2C..2D rm y
      sse 0F 2E..2F rm sets=all
      sse 0F 50 r
      sse 0F 51 rm a16
      sse F3 0F 51 rm
      sse 0F 54..59 rm a16
      sse F3 0F 58..59 rm
      sse 0F 5C..5F rm a16
      sse F3 0F 5C..5F rm
      sse 0F C2 rm ib a16
      sse F3 0F C2 rm ib
      sse 0F C6 rm ib a16
      sse 0F AE /2 m
      sse 0F AE /3 m
      sse 0F AE E8
      sse 0F AE F0
      sse 0F AE F8
      sse 0F AE /7 m
      sse 0F 18 /0 m
      sse 0F 18 /1 m
      sse 0F 18 /2 m
      sse 0F 18 /3 m
      sseapprox 0F 52..53 rm a16 approx
      sseapprox F3 0F 52..53 rm approx
      sse2 66 0F 10..11 rm
      sse2 F2 0F 10..11 rm
      sse2 66 0F 12..13 m
      sse2 66 0F 14..15 rm a16
      sse2 66 0F 16..17 m
      sse2 66 0F 28..29 rm a16
      sse2 66 0F 2A rm
      sse2 F2 0F 2A rm y
      sse2 66 0F 2B m a16
      sse2 66 0F 2C..2D rm a16
      sse2 F2 0F 2C..2D rm y
      sse2 66 0F 2E..2F rm sets=all
      sse2 66 0F 50 r
      sse2 66 0F 51 rm a16
      sse2 F2 0F 51 rm
      sse2 66 0F 54..59 rm a16
      sse2 F2 0F 58..59 rm
      sse2 0F 5A rm
      sse2 F3 0F 5A rm
      sse2 66 0F 5A rm a16
      sse2 F2 0F 5A rm
      sse2 0F 5B rm a16
      sse2 66 0F 5B rm a16
      sse2 F3 0F 5B rm a16
      sse2 66 0F 5C..5F rm a16
      sse2 F2 0F 5C..5F rm
      sse2 66 0F C2 rm ib a16
      sse2 F2 0F C2 rm ib
      sse2 66 0F C6 rm ib a16
      sse2 66 0F E6 rm a16
      sse2 F2 0F E6 rm a16
      sse2 F3 0F E6 rm
      sse2int 66 0F 60..6D rm a16
      sse2int 66 0F 6E rm y
      sse2int 66 0F 6F rm a16
      sse2int F3 0F 6F rm
      sse2int 66 0F 70 rm ib a16
      sse2int F2 0F 70 rm ib a16
      sse2int F3 0F 70 rm ib a16
      sse2int 66 0F 71 /2 r ib
      sse2int 66 0F 71 /4 r ib
      sse2int 66 0F 71 /6 r ib
      sse2int 66 0F 72 /2 r ib
      sse2int 66 0F 72 /4 r ib
      sse2int 66 0F 72 /6 r ib
      sse2int 66 0F 73 /2 r ib
      sse2int 66 0F 73 /3 r ib
      sse2int 66 0F 73 /6 r ib
      sse2int 66 0F 73 /7 r ib
      sse2int 66 0F 74..76 rm a16
      sse2int 66 0F 7E rm y
      sse2int F3 0F 7E rm
      sse2int 66 0F 7F rm a16
      sse2int F3 0F 7F rm
      sse2int 66 0F C4 rm ib
      sse2int 66 0F C5 r ib
      sse2int 66 0F D1..D5 rm a16
      sse2int 66 0F D6 rm
      sse2int F3 0F D6 r
      sse2int F2 0F D6 r
      sse2int 66 0F D7 r
      sse2int 66 0F D8..E5 rm a16
      sse2int 66 0F E7 m a16
      sse2int 66 0F E8..EF rm a16
      sse2int 66 0F F1..F6 rm a16
      sse2int 66 0F F7 r loosefault
      sse2int 66 0F F8..FE rm a16
      """;

  static final String SSE3_TO_4 =
      """
      sse3 F2 0F 12 rm
      sse3 F3 0F 12 rm a16
      sse3 F3 0F 16 rm a16
      sse3 66 0F 7C..7D rm a16
      sse3 F2 0F 7C..7D rm a16
      sse3 66 0F D0 rm a16
      sse3 F2 0F D0 rm a16
      sse3 F2 0F F0 m
      ssse3 0F 38 00..0B rm
      ssse3 66 0F 38 00..0B rm a16
      ssse3 0F 38 1C..1E rm
      ssse3 66 0F 38 1C..1E rm a16
      ssse3 0F 3A 0F rm ib
      ssse3 66 0F 3A 0F rm ib a16
      sse4 66 0F 38 10 rm a16
      sse4 66 0F 38 14..15 rm a16
      sse4 66 0F 38 17 rm a16 sets=all
      sse4 66 0F 38 20..25 rm
      sse4 66 0F 38 28..29 rm a16
      sse4 66 0F 38 2A m a16
      sse4 66 0F 38 2B rm a16
      sse4 66 0F 38 30..35 rm
      sse4 66 0F 38 37..41 rm a16
      sse4 66 0F 3A 08..09 rm ib a16
      sse4 66 0F 3A 0A..0B rm ib
      sse4 66 0F 3A 0C..0E rm ib a16
      sse4 66 0F 3A 14..15 rm ib
      sse4 66 0F 3A 16 rm ib y
      sse4 66 0F 3A 17 rm ib
      sse4 66 0F 3A 20..21 rm ib
      sse4 66 0F 3A 22 rm ib y
      sse4 66 0F 3A 40..41 rm ib a16 intel
      sse4 66 0F 3A 42 rm ib a16
      sse4 66 0F 3A 60..63 rm ib sets=all
      sse4 F2 0F 38 F0 rm y
      sse4 F2 0F 38 F1 rm y
      """;
}
