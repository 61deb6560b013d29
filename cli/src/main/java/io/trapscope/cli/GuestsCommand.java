package io.trapscope.cli;

import io.trapscope.vmm.fetch.DebianCloudGuest;
import io.trapscope.vmm.guests.Guests;
import java.io.PrintWriter;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Lists the guests that {@code record --guest} takes. */
@Command(
    name = "guests",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    subcommands = GuestsFetchCommand.class,
    description = "Lists the guests that 'record --guest' takes.")
final class GuestsCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Option(names = "--json", description = "Print JSON instead of text.")
  private boolean json;

  @Override
  public Integer call() {
    PrintWriter out = spec.commandLine().getOut();
    if (json) {
      printJson(out);
    } else {
      for (Guests guest : Guests.values()) {
        out.printf("%-13s %s%n", guest.title(), guest.summary());
      }
      out.printf("%-13s %s%n", DebianCloudGuest.NAME, debianCloud());
    }
    return ExitStatus.DONE;
  }

  private static String debianCloud() {
    return "Debian's stock cloud kernel with busybox: "
        + fetched()
            .map(found -> found.release() + ", fetched")
            .orElse("not here yet, trapscope guests fetch " + DebianCloudGuest.NAME);
  }

  private static Optional<DebianCloudGuest.Fetched> fetched() {
    return DebianCloudGuest.inUsersCache(GuestsFetchCommand.LIMIT).cached();
  }

  private static void printJson(PrintWriter out) {
    Json.print(
        out,
        json -> {
          json.writeStartArray();
          for (Guests guest : Guests.values()) {
            json.writeStartObject();
            json.writeStringField("name", guest.title());
            json.writeStringField("summary", guest.summary());
            json.writeStringField("mode", guest.mode().name().toLowerCase(Locale.ROOT));
            json.writeStringField("load", "0x" + Long.toHexString(guest.address()));
            json.writeNumberField("bytes", guest.image().length);
            json.writeEndObject();
          }
          json.writeStartObject();
          json.writeStringField("name", DebianCloudGuest.NAME);
          json.writeStringField("summary", debianCloud());
          json.writeBooleanField("fetched", fetched().isPresent());
          json.writeEndObject();
          json.writeEndArray();
        });
  }
}
