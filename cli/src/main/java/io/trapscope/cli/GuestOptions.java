package io.trapscope.cli;

import io.trapscope.recorder.trace.TraceHeader.Image;
import io.trapscope.vmm.boot.FlatLoader;
import io.trapscope.vmm.guests.Guests;
import io.trapscope.vmm.guests.HostKind;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import picocli.CommandLine.Option;

/** The options that say what to run. Exactly one of guest, kernel and flat. */
final class GuestOptions {
  private static final long LARGEST_IMAGE = 1L << 30;

  @Option(
      names = "--guest",
      paramLabel = "NAME",
      description = "A bundled guest; 'trapscope guests' lists them.")
  private String guest;

  @Option(
      names = "--flat",
      paramLabel = "FILE",
      description = "An image without a format; needs --load, --entry and --mode.")
  private Path flat;

  @Option(
      names = "--load",
      paramLabel = "GPA",
      converter = Quantities.AddressConverter.class,
      description = "Guest-physical address where the flat image goes.")
  private Long load;

  @Option(
      names = "--entry",
      paramLabel = "GPA",
      converter = Quantities.AddressConverter.class,
      description = "Guest-physical address of its first instruction.")
  private Long entry;

  @Option(
      names = "--mode",
      paramLabel = "MODE",
      description = "Mode it starts in: ${COMPLETION-CANDIDATES}.")
  private FlatLoader.Mode mode;

  @Option(
      names = "--append",
      paramLabel = "TEXT",
      defaultValue = "",
      description = "Command line for the guest.")
  private String append;

  /**
   * Reads the guest's files.
   *
   * @param host where it will run
   * @param folder where relative paths start
   * @throws UserError where the options do not name one guest, or a file cannot be read
   */
  GuestChoice choose(HostKind host, Path folder) {
    int named = (guest == null ? 0 : 1) + (flat == null ? 0 : 1);
    if (named != 1) {
      throw UserError.badInput("name one guest: --guest NAME or --flat FILE");
    }
    if (flat == null && (load != null || entry != null || mode != null)) {
      throw UserError.badInput("--load, --entry and --mode go with --flat");
    }
    return flat == null ? bundled(host) : flat(folder.resolve(flat));
  }

  private GuestChoice bundled(HostKind host) {
    try {
      return bundled(Guests.named(guest), append, host);
    } catch (IllegalArgumentException e) {
      throw UserError.badInput(e.getMessage(), e);
    }
  }

  /** A bundled guest. */
  static GuestChoice bundled(Guests guest, String append, HostKind host) {
    Image image = image("guest", "bundled:" + guest.title(), guest.image());
    return new GuestChoice(guest.title(), guest.boot(append, host), List.of(image), true);
  }

  private GuestChoice flat(Path file) {
    if (load == null || entry == null || mode == null) {
      throw UserError.badInput("--flat needs --load, --entry and --mode");
    }
    byte[] bytes = read(file);
    String name = String.valueOf(file.getFileName());
    return new GuestChoice(
        name,
        new FlatLoader(name, bytes, load, entry, mode, append),
        List.of(image("flat", file.toString(), bytes)),
        false);
  }

  private static byte[] read(Path file) {
    try {
      if (Files.isDirectory(file)) {
        throw UserError.badInput(file + " is a directory, not an image");
      }
      if (Files.size(file) > LARGEST_IMAGE) {
        throw UserError.badInput(file + " is larger than 1 GiB");
      }
      return Files.readAllBytes(file);
    } catch (NoSuchFileException e) {
      throw UserError.badInput("there is no file " + file, e);
    } catch (AccessDeniedException e) {
      throw UserError.badInput(file + ": permission denied", e);
    } catch (IOException e) {
      throw UserError.badInput("cannot read " + file + ": " + e.getMessage(), e);
    }
  }

  private static Image image(String role, String path, byte[] bytes) {
    try {
      byte[] hash = MessageDigest.getInstance("SHA-256").digest(bytes);
      return new Image(role, path, HexFormat.of().formatHex(hash), bytes.length);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has SHA-256", e);
    }
  }
}
