/** The command {@code trapscope}: one class a subcommand. The one place that sees every module. */
package io.trapscope.cli;
