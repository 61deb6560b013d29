/**
 * What this host offers and allows, found by looking at it: nothing here changes the host.
 *
 * <p>Lives here: the checks of {@code doctor}. Does not live here: printing.
 */
package io.trapscope.cli.host;
