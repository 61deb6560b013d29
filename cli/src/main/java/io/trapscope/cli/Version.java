package io.trapscope.cli;

import picocli.CommandLine.IVersionProvider;

/** The product's version, from the jar's manifest. */
final class Version implements IVersionProvider {

  /** Such as {@code 0.1.0}; {@code unpackaged} where classes run outside the jar. */
  static String number() {
    String version = Version.class.getPackage().getImplementationVersion();
    return version == null ? "unpackaged" : version;
  }

  @Override
  public String[] getVersion() {
    return new String[] {
      "trapscope " + number(),
      "Java "
          + System.getProperty("java.runtime.version")
          + " at "
          + System.getProperty("java.home")
    };
  }
}
