package io.trapscope.cli;

import io.trapscope.vmm.fetch.DebianCloudGuest;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Fetches a guest that does not come with Trapscope. */
@Command(
    name = "fetch",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    description = {
      "Fetches a guest with the system's own package tool into the user's cache folder.",
      "Needs Debian or Ubuntu and a network, and no root."
    })
final class GuestsFetchCommand implements Callable<Integer> {
  /** How long one step of the package tool may take. */
  static final Duration LIMIT = Duration.ofMinutes(10);

  @Spec private CommandSpec spec;

  @Parameters(paramLabel = "NAME", description = "The guest: " + DebianCloudGuest.NAME + ".")
  private String name;

  @Override
  public Integer call() {
    if (!name.equals(DebianCloudGuest.NAME)) {
      throw UserError.badInput(
          "'" + name + "' cannot be fetched; there is " + DebianCloudGuest.NAME);
    }
    PrintWriter err = spec.commandLine().getErr();
    DebianCloudGuest.Fetched fetched = DebianCloudGuest.inUsersCache(LIMIT).fetch(err::println);
    PrintWriter out = spec.commandLine().getOut();
    out.println("kernel     " + fetched.kernel() + " (" + fetched.release() + ")");
    out.println("RAM disk   " + fetched.initrd());
    out.println("to run it  trapscope record --guest " + DebianCloudGuest.NAME);
    return ExitStatus.DONE;
  }
}
