/**
 * The report page: one HTML file with everything in it, of bounded size whatever the trace's
 * length.
 *
 * <p>Lives here: what the page shows besides the reports' tables, collected in one pass ({@code
 * PageData}), and putting data, script and style into one file. The page itself is in the resources
 * beside this package: {@code page.html}, {@code page.css}, {@code page.js}; its charts are drawn
 * by uPlot (MIT). Does not live here: what reports count.
 */
package io.trapscope.analyzer.html;
