package io.trapscope.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Rules on the source tree that compiled classes do not show. */
class SourceTreeTest {
  private static final Path ROOT = Path.of("").toAbsolutePath().getParent();
  private static final int LONGEST_FILE = 550;

  /**
   * Read by searching and not from top to bottom: tables, and arithmetic operation by operation.
   */
  private static final Set<String> EXEMPT = Set.of("SseFloat.java", "ExtFloat.java");

  @Test
  void everyPackageSaysWhatLivesThere() throws IOException {
    List<Path> silent = new ArrayList<>();
    for (Path file : sources("main")) {
      if (!Files.exists(file.resolveSibling("package-info.java"))) {
        silent.add(ROOT.relativize(file.getParent()));
      }
    }
    assertThat(silent).isEmpty();
  }

  @Test
  void noFileGrowsPastItsBound() throws IOException {
    List<String> tooLong = new ArrayList<>();
    for (String tree : List.of("main", "test")) {
      for (Path file : sources(tree)) {
        int lines = Files.readAllLines(file).size();
        if (lines > LONGEST_FILE && !EXEMPT.contains(file.getFileName().toString())) {
          tooLong.add(ROOT.relativize(file) + ": " + lines);
        }
      }
    }
    assertThat(tooLong).isEmpty();
  }

  @Test
  void relativeLinksOfTheDocumentsLeadSomewhere() throws IOException {
    Pattern link = Pattern.compile("\\]\\(([^)#]+)(#[^)]*)?\\)");
    List<String> broken = new ArrayList<>();
    for (Path document : documents()) {
      Matcher matcher = link.matcher(Files.readString(document));
      while (matcher.find()) {
        String target = matcher.group(1);
        boolean elsewhere = target.matches("[a-z]+:.*");
        if (!elsewhere && !Files.exists(document.resolveSibling(target))) {
          broken.add(ROOT.relativize(document) + " -> " + target);
        }
      }
    }
    assertThat(broken).isEmpty();
  }

  private static List<Path> sources(String tree) throws IOException {
    List<Path> all = new ArrayList<>();
    for (String module : List.of("recorder", "vmm", "replay", "analyzer", "cli")) {
      try (Stream<Path> files = Files.walk(ROOT.resolve(module + "/src/" + tree + "/java"))) {
        files.filter(file -> file.toString().endsWith(".java")).forEach(all::add);
      } catch (NoSuchFileException e) {
        assertThat(tree).as("module %s has no sources of its own", module).isEqualTo("test");
      }
    }
    assertThat(all).as("sources under " + ROOT).isNotEmpty();
    return all;
  }

  /** Documents at the top and inside modules; not what a build put into a target folder. */
  private static List<Path> documents() throws IOException {
    try (Stream<Path> files = Files.walk(ROOT, 8)) {
      return files
          .filter(file -> file.toString().endsWith(".md"))
          .filter(file -> !ROOT.relativize(file).toString().matches("(.*/)?(target|\\..*)/.*"))
          .toList();
    }
  }
}
