package io.trapscope.cli;

import io.trapscope.recorder.trace.TraceHeader;
import io.trapscope.recorder.trace.TraceReader;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** Where the files are that a guest is made of. */
interface GuestFiles {
  /** Where the options say, from the current folder on. */
  GuestFiles AS_NAMED = (role, named) -> Optional.ofNullable(named);

  /**
   * A file.
   *
   * @param role as in a trace's header: kernel, initrd, module, flat
   * @param named how the options name it; null where they do not
   * @return empty only where they do not, and no other way is known
   */
  Optional<Path> find(String role, Path named);

  /**
   * The files of a recorded guest: the copies that its trace keeps, and else those that the command
   * line named.
   *
   * @param folder where its relative paths start
   */
  static GuestFiles of(TraceReader trace, Path folder) {
    return (role, named) -> {
      List<TraceHeader.Image> images =
          trace.header().images().stream()
              .filter(image -> image.role().equals(role))
              .filter(image -> named == null || image.path().equals(named.toString()))
              .toList();
      Optional<Path> kept =
          images.stream()
              .flatMap(image -> KeptFiles.find(trace.directory(), image).stream())
              .findFirst();
      return kept.or(() -> Optional.ofNullable(named).map(folder::resolve));
    };
  }
}
