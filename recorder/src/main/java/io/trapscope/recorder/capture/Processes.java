package io.trapscope.recorder.capture;

/** What the host knows of its processes, and which of them are recorded. */
public interface Processes {

  /** Whether this process's guests are recorded. Asked once for each. */
  boolean isWanted(int pid);

  /** Of one that is not wanted: whether that is so only because its name is gone with it. */
  boolean isUnknown(int pid);

  /** The process's name; empty where it is gone. */
  String process(int pid);

  /** The thread's name; empty where it is gone. */
  String thread(int pid, int tid);
}
