package io.trapscope.recorder.event;

/**
 * The bits of an EPT violation's exit qualification (SDM volume 3, table "Exit Qualification for
 * EPT Violations").
 */
public final class ExitQualification {
  /** The access was a data read. */
  public static final int EPT_READ = 1;

  /** The access was a data write. */
  public static final int EPT_WRITE = 1 << 1;

  /** The access was an instruction fetch. */
  public static final int EPT_FETCH = 1 << 2;

  /** The EPT entry allowed reads, writes, fetches. */
  public static final int EPT_READABLE = 1 << 3;

  public static final int EPT_WRITABLE = 1 << 4;
  public static final int EPT_EXECUTABLE = 1 << 5;

  /** The guest linear address is valid. */
  public static final int EPT_GVA_VALID = 1 << 7;

  /** The access was to the translation of the linear address, not to a paging structure. */
  public static final int EPT_GVA_TRANSLATED = 1 << 8;

  private ExitQualification() {}

  /** Name of the access in bits 2:0: READ, WRITE, FETCH, READ_WRITE and so on. */
  static String accessName(long bits) {
    StringBuilder name = new StringBuilder();
    append(name, bits, EPT_READ, "READ");
    append(name, bits, EPT_WRITE, "WRITE");
    append(name, bits, EPT_FETCH, "FETCH");
    return name.length() == 0 ? "NONE" : name.toString();
  }

  private static void append(StringBuilder name, long bits, int bit, String text) {
    if ((bits & bit) != 0) {
      name.append(name.length() == 0 ? "" : "_").append(text);
    }
  }
}
