package io.trapscope.vmm.fetch;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import org.apache.commons.compress.archivers.cpio.CpioArchiveEntry;
import org.apache.commons.compress.archivers.cpio.CpioArchiveOutputStream;
import org.apache.commons.compress.archivers.cpio.CpioConstants;

/**
 * An initial RAM disk around a static busybox: a {@code newc} cpio archive (Linux,
 * Documentation/driver-api/early-userspace/buffer-format.rst), the same bytes for the same busybox.
 *
 * <p>Its init mounts what a shell expects, greets, does what {@code run=...} on the kernel's
 * command line says, and then gives a shell on the console. When that ends, it switches the machine
 * off.
 */
final class Initramfs {
  private static final String INIT =
      """
      #!/bin/busybox sh
      /bin/busybox --install -s /bin
      mount -t proc proc /proc
      mount -t sysfs sys /sys
      mount -t devtmpfs dev /dev 2>/dev/null
      echo "HELLO FROM INIT"
      uptime
      if [ -n "$run" ]; then
        sh -c "$run"
      fi
      export PS1='# '
      setsid cttyhack sh
      poweroff -f
      """;

  private static final int EXECUTABLE = 0755;
  private static final int CONSOLE_MAJOR = 5;
  private static final int CONSOLE_MINOR = 1;

  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
  private final CpioArchiveOutputStream archive =
      new CpioArchiveOutputStream(bytes, CpioConstants.FORMAT_NEW);
  private int inode = 1;

  private Initramfs() {}

  /** The archive, not compressed: unpacking costs the guest more than the host's disk. */
  static byte[] build(byte[] busybox) {
    Initramfs disk = new Initramfs();
    try {
      for (String directory : new String[] {"bin", "dev", "proc", "sys", "tmp", "root"}) {
        disk.add(directory, CpioConstants.C_ISDIR | EXECUTABLE, new byte[0]);
      }
      CpioArchiveEntry console = disk.entry("dev/console", CpioConstants.C_ISCHR | 0600, 0);
      console.setRemoteDeviceMaj(CONSOLE_MAJOR);
      console.setRemoteDeviceMin(CONSOLE_MINOR);
      disk.add(console, new byte[0]);
      disk.add("bin/busybox", CpioConstants.C_ISREG | EXECUTABLE, busybox);
      disk.add("bin/sh", CpioConstants.C_ISLNK | 0777, ascii("busybox"));
      disk.add("init", CpioConstants.C_ISREG | EXECUTABLE, ascii(INIT));
      disk.archive.close();
    } catch (IOException e) {
      throw new IllegalStateException("an archive in memory", e);
    }
    return disk.bytes.toByteArray();
  }

  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }

  private CpioArchiveEntry entry(String name, int mode, int size) {
    CpioArchiveEntry entry = new CpioArchiveEntry(CpioConstants.FORMAT_NEW, name, size);
    entry.setMode(mode);
    entry.setInode(inode++);
    entry.setNumberOfLinks(1);
    entry.setTime(0);
    return entry;
  }

  private void add(String name, int mode, byte[] content) throws IOException {
    add(entry(name, mode, content.length), content);
  }

  private void add(CpioArchiveEntry entry, byte[] content) throws IOException {
    archive.putArchiveEntry(entry);
    archive.write(content);
    archive.closeArchiveEntry();
  }
}
