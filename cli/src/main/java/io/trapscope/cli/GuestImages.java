package io.trapscope.cli;

import io.trapscope.recorder.trace.TraceHeader.Image;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/**
 * The files that a guest is made of. A trace keeps their hashes, which take long enough, for a
 * kernel of 50 MB, that they are reckoned while the guest runs already.
 */
final class GuestImages {
  private static final long LARGEST = 1L << 30;

  /** How many times as long as it worked a thread rests that must not be in the way. */
  private static final int REST = 3;

  private final List<Source> sources = new ArrayList<>();

  /** One image and where its bytes are. */
  private record Source(String role, String path, long bytes, Content content) {}

  private interface Content {
    InputStream open() throws IOException;
  }

  /**
   * Adds a file.
   *
   * @throws UserError where it cannot be one
   */
  GuestImages add(String role, Path file) {
    long bytes = size(file);
    sources.add(new Source(role, file.toString(), bytes, () -> Files.newInputStream(file)));
    return this;
  }

  /** Adds what is in memory already. */
  GuestImages add(String role, String path, byte[] bytes) {
    sources.add(new Source(role, path, bytes.length, () -> new ByteArrayInputStream(bytes)));
    return this;
  }

  /**
   * A file's SHA-256 in hexadecimal.
   *
   * @throws UserError where it cannot be read
   */
  static String sha256(Path file) {
    return new GuestImages().add("", file).hashed().get(0).sha256();
  }

  /** All of them, their hashes empty. */
  List<Image> unhashed() {
    return sources.stream()
        .map(source -> new Image(source.role, source.path, "", source.bytes))
        .toList();
  }

  /**
   * All of them; reads every file.
   *
   * @throws UserError where one can no longer be read
   */
  List<Image> hashed() {
    return hashed(() -> true, KeptFiles.NONE);
  }

  /**
   * The same, for a thread beside a guest that runs.
   *
   * @param hurry whether the guest no longer needs the processor more than this does
   * @param kept gets copies
   */
  List<Image> hashed(BooleanSupplier hurry, KeptFiles kept) {
    return sources.stream().map(source -> hashed(source, hurry, kept)).toList();
  }

  private static Image hashed(Source source, BooleanSupplier hurry, KeptFiles kept) {
    MessageDigest hash = digest();
    byte[] piece = new byte[1 << 16];
    long bytes = 0;
    try (InputStream in = source.content.open();
        KeptFiles.Copy copy = kept.begin(source.path, source.bytes)) {
      for (int count = in.read(piece); count >= 0; count = in.read(piece)) {
        long start = System.nanoTime();
        hash.update(piece, 0, count);
        copy.write(piece, count);
        bytes += count;
        if (!hurry.getAsBoolean()) {
          LockSupport.parkNanos(REST * (System.nanoTime() - start));
        }
      }
      String digest = HexFormat.of().formatHex(hash.digest());
      copy.finish(digest);
      return new Image(source.role, source.path, digest, bytes);
    } catch (IOException e) {
      throw unreadable(Path.of(source.path), e);
    }
  }

  private static MessageDigest digest() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has SHA-256", e);
    }
  }

  /**
   * The bytes of a file.
   *
   * @throws UserError where it cannot be read or is too large for an image
   */
  static byte[] read(Path file) {
    size(file);
    try {
      return Files.readAllBytes(file);
    } catch (IOException e) {
      throw unreadable(file, e);
    }
  }

  private static long size(Path file) {
    try {
      if (Files.isDirectory(file)) {
        throw UserError.badInput(file + " is a directory, not an image");
      }
      long bytes = Files.size(file);
      if (bytes > LARGEST) {
        throw UserError.badInput(file + " is larger than 1 GiB");
      }
      return bytes;
    } catch (IOException e) {
      throw unreadable(file, e);
    }
  }

  private static UserError unreadable(Path file, IOException e) {
    if (e instanceof NoSuchFileException) {
      return UserError.badInput("there is no file " + file, e);
    }
    if (e instanceof AccessDeniedException) {
      return UserError.badInput(file + ": permission denied", e);
    }
    return UserError.badInput("cannot read " + file + ": " + e.getMessage(), e);
  }
}
