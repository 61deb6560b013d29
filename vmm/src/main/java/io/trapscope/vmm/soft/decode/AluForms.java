package io.trapscope.vmm.soft.decode;

import io.trapscope.vmm.soft.cpu.Handler;
import io.trapscope.vmm.soft.cpu.Mode;
import io.trapscope.vmm.soft.exec.Alu;
import io.trapscope.vmm.soft.exec.Alu32;
import io.trapscope.vmm.soft.exec.Alu64;
import io.trapscope.vmm.soft.exec.Branch;
import io.trapscope.vmm.soft.exec.Shift;

/** Picks the handlers of frequent arithmetic, shifts and branches by size and operand. */
final class AluForms {
  private static final int CMP = 7;

  private AluForms() {}

  static HandlerSelector rmReg(int kind) {
    return d -> {
      Handler special = null;
      if (!d.isMemory()) {
        special = d.size == 8 ? RR_64[kind] : d.size == 4 ? RR_32[kind] : null;
      } else if (kind == CMP) {
        special = d.size == 8 ? Alu64::cmpMr : d.size == 4 ? Alu32::cmpMr : null;
      }
      return special != null ? special : kind == CMP ? Alu::cmpRmReg : Alu::rmReg;
    };
  }

  static HandlerSelector regRm(int kind) {
    return d -> {
      Handler special = null;
      if (d.isMemory()) {
        special = d.size == 8 ? RM_64[kind] : d.size == 4 ? RM_32[kind] : null;
      }
      return special != null ? special : kind == CMP ? Alu::cmpRegRm : Alu::regRm;
    };
  }

  static HandlerSelector rmImm(int kind) {
    return d -> {
      Handler special = null;
      if (!d.isMemory()) {
        special = d.size == 8 ? RI_64[kind] : d.size == 4 ? RI_32[kind] : null;
      } else if (kind == CMP) {
        special = d.size == 8 ? Alu64::cmpMi : d.size == 4 ? Alu32::cmpMi : null;
      }
      return special != null ? special : kind == CMP ? Alu::cmpRmImm : Alu::rmImm;
    };
  }

  private static final Handler[] RR_64 = {
    Alu64::addRr, Alu64::orRr, null, null, Alu64::andRr, Alu64::subRr, Alu64::xorRr, Alu64::cmpRr
  };
  private static final Handler[] RR_32 = {
    Alu32::addRr, Alu32::orRr, null, null, Alu32::andRr, Alu32::subRr, Alu32::xorRr, Alu32::cmpRr
  };
  private static final Handler[] RI_64 = {
    Alu64::addRi, Alu64::orRi, null, null, Alu64::andRi, Alu64::subRi, Alu64::xorRi, Alu64::cmpRi
  };
  private static final Handler[] RI_32 = {
    Alu32::addRi, Alu32::orRi, null, null, Alu32::andRi, Alu32::subRi, Alu32::xorRi, Alu32::cmpRi
  };
  private static final Handler[] RM_64 = {
    Alu64::addRm, Alu64::orRm, null, null, Alu64::andRm, Alu64::subRm, Alu64::xorRm, Alu64::cmpRm
  };
  private static final Handler[] RM_32 = {
    Alu32::addRm, Alu32::orRm, null, null, Alu32::andRm, Alu32::subRm, Alu32::xorRm, Alu32::cmpRm
  };

  static Handler test(Decoded d) {
    return switch (d.size) {
      case 8 -> d.isMemory() ? Alu64::testMr : Alu64::testRr;
      case 4 -> d.isMemory() ? Alu32::testMr : Alu32::testRr;
      default -> Alu::testRmReg;
    };
  }

  static Handler testImm(Decoded d) {
    return switch (d.size) {
      case 8 -> d.isMemory() ? Alu64::testMi : Alu64::testRi;
      case 4 -> d.isMemory() ? Alu32::testMi : Alu32::testRi;
      default -> Alu::testRmImm;
    };
  }

  static Handler inc(Decoded d) {
    return d.isMemory()
        ? Alu::inc
        : d.size == 8 ? Alu64::incR : d.size == 4 ? Alu32::incR : Alu::inc;
  }

  static Handler dec(Decoded d) {
    return d.isMemory()
        ? Alu::dec
        : d.size == 8 ? Alu64::decR : d.size == 4 ? Alu32::decR : Alu::dec;
  }

  /** Shifts by an immediate; the count comes out cut to the operand size. */
  static HandlerSelector shiftImm(int kind) {
    return d -> {
      boolean wide = d.size == 8;
      d.imm &= wide ? 63 : 31;
      if (d.isMemory() || d.size < 4 || d.imm == 0) {
        return Shift::byImm;
      }
      return switch (kind) {
        case 4, 6 -> wide ? Alu64::shlRi : Alu32::shlRi;
        case 5 -> wide ? Alu64::shrRi : Alu32::shrRi;
        case 7 -> wide ? Alu64::sarRi : Alu32::sarRi;
        default -> Shift::byImm;
      };
    };
  }

  /** Jcc; overflow and parity are rare. A flat CS has no limit that a target could exceed. */
  static Handler jump(Decoded d) {
    if (!d.code64() && (d.mode & Mode.FLAT) == 0) {
      return Branch::conditional;
    }
    return switch (d.sub) {
      case 2 -> Branch::ifBelow;
      case 3 -> Branch::ifNotBelow;
      case 4 -> Branch::ifZero;
      case 5 -> Branch::ifNotZero;
      case 6 -> Branch::ifBelowOrEqual;
      case 7 -> Branch::ifAbove;
      case 8 -> Branch::ifSign;
      case 9 -> Branch::ifNotSign;
      case 12 -> Branch::ifLess;
      case 13 -> Branch::ifNotLess;
      case 14 -> Branch::ifLessOrEqual;
      case 15 -> Branch::ifGreater;
      default -> Branch::conditional64;
    };
  }
}
