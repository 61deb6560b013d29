package io.trapscope.analyzer.tally;

import java.util.OptionalLong;

/**
 * Exits added up.
 *
 * @param count how many
 * @param guest guest time before them, ns; see {@link #captured} for this and the other stages
 * @param kernel time in the host's kernel, ns
 * @param loop time until the loop had them, ns
 * @param dispatch time in dispatch, ns
 * @param device time in the device model, ns
 * @param user time outside the kernel, where no loop of ours tells more of it, ns
 * @param first time of the first one, on the trace's clock
 * @param last time of the last one
 * @param captured bits by {@link Stage}: which any of them had
 */
public record Sums(
    long count,
    long guest,
    long kernel,
    long loop,
    long dispatch,
    long device,
    long user,
    long first,
    long last,
    int captured) {
  /** No exit. */
  public static final Sums ZERO = new Sums(0, 0, 0, 0, 0, 0, 0, Long.MAX_VALUE, Long.MIN_VALUE, 0);

  /** These and those. */
  public Sums plus(Sums other) {
    return new Sums(
        count + other.count,
        guest + other.guest,
        kernel + other.kernel,
        loop + other.loop,
        dispatch + other.dispatch,
        device + other.device,
        user + other.user,
        Math.min(first, other.first),
        Math.max(last, other.last),
        captured | other.captured);
  }

  /** The time of a stage, where any exit had it. */
  public OptionalLong time(Stage stage) {
    if ((captured >> stage.ordinal() & 1) == 0) {
      return OptionalLong.empty();
    }
    return OptionalLong.of(
        switch (stage) {
          case GUEST -> guest;
          case KERNEL -> kernel;
          case LOOP -> loop;
          case DISPATCH -> dispatch;
          case DEVICE -> device;
          case USER -> user;
        });
  }

  /** Time of all stages but the guest's; empty where no exit had any. */
  public OptionalLong handling() {
    return captured >> 1 == 0
        ? OptionalLong.empty()
        : OptionalLong.of(kernel + loop + dispatch + device + user);
  }
}
