package io.trapscope.vmm.soft.differential;

/** The general-purpose instructions of user mode, for the generator; flags as the SDM has them. */
final class IntegerForms {
  private IntegerForms() {}

  static final String TABLE =
      """
      alu 00..03 rm v lock sets=all
      alu 04 ib sets=all
      alu 05 iz v sets=all
      alu 08..0B rm v lock sets=CF,OF,SF,ZF,PF undef=AF
      alu 0C ib sets=CF,OF,SF,ZF,PF undef=AF
      alu 0D iz v sets=CF,OF,SF,ZF,PF undef=AF
      alu 10..13 rm v lock reads=CF sets=all
      alu 14 ib reads=CF sets=all
      alu 15 iz v reads=CF sets=all
      alu 18..1B rm v lock reads=CF sets=all
      alu 1C ib reads=CF sets=all
      alu 1D iz v reads=CF sets=all
      alu 20..23 rm v lock sets=CF,OF,SF,ZF,PF undef=AF
      alu 24 ib sets=CF,OF,SF,ZF,PF undef=AF
      alu 25 iz v sets=CF,OF,SF,ZF,PF undef=AF
      alu 28..2B rm v lock sets=all
      alu 2C ib sets=all
      alu 2D iz v sets=all
      alu 30..33 rm v lock sets=CF,OF,SF,ZF,PF undef=AF
      alu 34 ib sets=CF,OF,SF,ZF,PF undef=AF
      alu 35 iz v sets=CF,OF,SF,ZF,PF undef=AF
      alu 38..3B rm v sets=all
      alu 3C ib sets=all
      alu 3D iz v sets=all
      alu 80 /0 rm ib lock sets=all
      alu 80 /1 rm ib lock sets=CF,OF,SF,ZF,PF undef=AF
      alu 80 /2 rm ib lock reads=CF sets=all
      alu 80 /3 rm ib lock reads=CF sets=all
      alu 80 /4 rm ib lock sets=CF,OF,SF,ZF,PF undef=AF
      alu 80 /5 rm ib lock sets=all
      alu 80 /6 rm ib lock sets=CF,OF,SF,ZF,PF undef=AF
      alu 80 /7 rm ib sets=all
      alu 81 /0 rm iz v lock sets=all
      alu 81 /1 rm iz v lock sets=CF,OF,SF,ZF,PF undef=AF
      alu 81 /2 rm iz v lock reads=CF sets=all
      alu 81 /3 rm iz v lock reads=CF sets=all
      alu 81 /4 rm iz v lock sets=CF,OF,SF,ZF,PF undef=AF
      alu 81 /5 rm iz v lock sets=all
      alu 81 /6 rm iz v lock sets=CF,OF,SF,ZF,PF undef=AF
      alu 81 /7 rm iz v sets=all
      alu 82 /5 rm ib only32 sets=all
      alu 83 /0 rm ib v lock sets=all
      alu 83 /1 rm ib v lock sets=CF,OF,SF,ZF,PF undef=AF
      alu 83 /2 rm ib v lock reads=CF sets=all
      alu 83 /3 rm ib v lock reads=CF sets=all
      alu 83 /4 rm ib v lock sets=CF,OF,SF,ZF,PF undef=AF
      alu 83 /5 rm ib v lock sets=all
      alu 83 /6 rm ib v lock sets=CF,OF,SF,ZF,PF undef=AF
      alu 83 /7 rm ib v sets=all
      alu 84..85 rm v sets=CF,OF,SF,ZF,PF undef=AF
      alu A8 ib sets=CF,OF,SF,ZF,PF undef=AF
      alu A9 iz v sets=CF,OF,SF,ZF,PF undef=AF
      alu F6 /0 rm ib sets=CF,OF,SF,ZF,PF undef=AF
      alu F6 /1 rm ib sets=CF,OF,SF,ZF,PF undef=AF
      alu F7 /0 rm iz v sets=CF,OF,SF,ZF,PF undef=AF
      alu F7 /1 rm iz v sets=CF,OF,SF,ZF,PF undef=AF
      unary FE /0 rm lock sets=OF,SF,ZF,AF,PF
      unary FE /1 rm lock sets=OF,SF,ZF,AF,PF
      unary FF /0 rm v lock sets=OF,SF,ZF,AF,PF
      unary FF /1 rm v lock sets=OF,SF,ZF,AF,PF
      unary 40..4F v16 only32 sets=OF,SF,ZF,AF,PF
      unary F6 /2 rm lock
      unary F7 /2 rm v lock
      unary F6 /3 rm lock sets=all
      unary F7 /3 rm v lock sets=all
      muldiv F6 /4 rm sets=CF,OF undef=SF,ZF,AF,PF
      muldiv F7 /4 rm v sets=CF,OF undef=SF,ZF,AF,PF
      muldiv F6 /5 rm sets=CF,OF undef=SF,ZF,AF,PF
      muldiv F7 /5 rm v sets=CF,OF undef=SF,ZF,AF,PF
      muldiv 0F AF rm v sets=CF,OF undef=SF,ZF,AF,PF
      muldiv 69 rm iz v sets=CF,OF undef=SF,ZF,AF,PF
      muldiv 6B rm ib v sets=CF,OF undef=SF,ZF,AF,PF
      muldiv F6 /6 rm undef=all
      muldiv F7 /6 rm v undef=all
      muldiv F6 /7 rm undef=all
      muldiv F7 /7 rm v undef=all
      shift C0 /0 rm ib count
      shift C0 /1 rm ib count
      shift C0 /2 rm ib count reads=CF
      shift C0 /3 rm ib count reads=CF
      shift C0 /4 rm ib count
      shift C0 /5 rm ib count
      shift C0 /6 rm ib count
      shift C0 /7 rm ib count
      shift C1 /0 rm ib v count
      shift C1 /1 rm ib v count
      shift C1 /2 rm ib v count reads=CF
      shift C1 /3 rm ib v count reads=CF
      shift C1 /4 rm ib v count
      shift C1 /5 rm ib v count
      shift C1 /6 rm ib v count
      shift C1 /7 rm ib v count
      shift D0 /0 rm sets=CF,OF
      shift D0 /1 rm sets=CF,OF
      shift D0 /2 rm sets=CF,OF reads=CF
      shift D0 /3 rm sets=CF,OF reads=CF
      shift D0 /4 rm sets=CF,OF,SF,ZF,PF undef=AF
      shift D0 /5 rm sets=CF,OF,SF,ZF,PF undef=AF
      shift D0 /6 rm sets=CF,OF,SF,ZF,PF undef=AF
      shift D0 /7 rm sets=CF,OF,SF,ZF,PF undef=AF
      shift D1 /0 rm v sets=CF,OF
      shift D1 /1 rm v sets=CF,OF
      shift D1 /2 rm v sets=CF,OF reads=CF
      shift D1 /3 rm v sets=CF,OF reads=CF
      shift D1 /4 rm v sets=CF,OF,SF,ZF,PF undef=AF
      shift D1 /5 rm v sets=CF,OF,SF,ZF,PF undef=AF
      shift D1 /7 rm v sets=CF,OF,SF,ZF,PF undef=AF
      shift D2 /0 rm count
      shift D2 /1 rm count
      shift D2 /2 rm count reads=CF
      shift D2 /3 rm count reads=CF
      shift D2 /4 rm count
      shift D2 /5 rm count
      shift D2 /7 rm count
      shift D3 /0 rm v count
      shift D3 /1 rm v count
      shift D3 /2 rm v count reads=CF
      shift D3 /3 rm v count reads=CF
      shift D3 /4 rm v count
      shift D3 /5 rm v count
      shift D3 /6 rm v count
      shift D3 /7 rm v count
      shift 0F A4 rm ib y count
      shift 0F A5 rm y count
      shift 0F AC rm ib y count
      shift 0F AD rm y count
      bits 0F A3 rm v sets=CF undef=OF,SF,AF,PF
      bits 0F AB rm v lock sets=CF undef=OF,SF,AF,PF
      bits 0F B3 rm v lock sets=CF undef=OF,SF,AF,PF
      bits 0F BB rm v lock sets=CF undef=OF,SF,AF,PF
      bits 0F BA /4 rm ib v sets=CF undef=OF,SF,AF,PF
      bits 0F BA /5 rm ib v lock sets=CF undef=OF,SF,AF,PF
      bits 0F BA /6 rm ib v lock sets=CF undef=OF,SF,AF,PF
      bits 0F BA /7 rm ib v lock sets=CF undef=OF,SF,AF,PF
      bits 0F BC rm v sets=ZF undef=CF,OF,SF,AF,PF
      bits 0F BD rm v sets=ZF undef=CF,OF,SF,AF,PF
      bits F3 0F B8 rm v sets=all
      bits 0F C8..CF y
      move 88..8B rm v
      move 8C /0 rm v
      move 8C /1 rm v
      move 8C /2 rm v
      move 8C /3 rm v
      move 8D m v
      move 8D r v
      move B0..B7 ib
      move B8..BF iv v
      move C6 /0 rm ib
      move C7 /0 rm iz v
      move 0F B6 rm v
      move 0F B7 rm v
      move 0F BE rm v
      move 0F BF rm v
      move 63 rm y only64
      move 63 rm v only64 intel
      move 98 v
      move 99 v
      move 90..97 v
      move 86..87 rm v lock
      move D7
      move 0F 1F /0 rm v
      move F3 90
      move 0F C3 m y
      atomic 0F B0..B1 rm v lock sets=all
      atomic 0F C0..C1 rm v lock sets=all
      atomic 0F C7 /1 m lock sets=ZF
      atomic 0F C7 /1 m y a16 lock sets=ZF
      flags 9E only32 sets=CF,ZF,SF,AF,PF
      flags 9F only32 reads=CF,ZF,SF,AF,PF
      flags 9E sets=CF,ZF,SF,AF,PF
      flags 9F reads=CF,ZF,SF,AF,PF
      flags F5 reads=CF sets=CF
      flags F8..F9 sets=CF
      flags FC..FD
      flags 9C v16 reads=all
      flags 0F 90..9F rm reads=all
      flags 0F 40..4F rm v reads=all
      branch 70..7F rel8 reads=all
      branch E0..E1 rel8 reads=ZF
      branch E2..E3 rel8
      branch EB rel8
      branch FF /2 rm intel
      branch FF /4 rm
      branch C3
      branch C2 iw
      stack 50..5F v16
      stack 68 iz v16
      stack 6A ib v16
      stack 8F /0 rm v16
      stack FF /6 rm v16
      stack C9 v16
      stack C8 iw ib v16
      stack 60..61 v16 only32
      stack 06 only32 intel
      stack 0E only32 intel
      stack 16 only32 intel
      stack 1E only32 intel
      string A4..A5 v rep
      string A6..A7 v rep sets=all
      string AA..AB v rep
      string AC..AD v rep
      string AE..AF v rep sets=all
      decimal 27 only32 reads=CF,AF sets=CF,SF,ZF,AF,PF undef=OF
      decimal 2F only32 reads=CF,AF sets=CF,SF,ZF,AF,PF undef=OF
      decimal 37 only32 reads=AF sets=AF,CF undef=OF,SF,ZF,PF
      decimal 3F only32 reads=AF sets=AF,CF undef=OF,SF,ZF,PF
      decimal D4 ib only32 sets=SF,ZF,PF undef=OF,AF,CF
      decimal D5 ib only32 sets=SF,ZF,PF undef=OF,AF,CF
      decimal D6 only32 reads=CF
      decimal 62 m v16 only32 intel
      decimal CE only32 reads=OF
      privileged F4
      privileged FA..FB
      privileged E4 ib
      privileged E6 ib
      privileged EC..EF
      privileged 0F 06
      privileged 0F 08..09
      privileged 0F 0B
      privileged 0F 20 r
      privileged 0F 22 r
      privileged 0F 30
      privileged 0F 32
      privileged 0F 00 /2 rm
      privileged 0F 00 /3 rm
      privileged 0F 01 /2 m
      privileged 0F 01 /3 m
      privileged 0F 01 /6 rm
      privileged 0F 01 /7 m
      """;
}
