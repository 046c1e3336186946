/* Small plots as SVG 1.1: one file, no scripts, no fonts of its own. Numbers are "%.4g", so the same
 * values give the same bytes. Text is escaped; shapes with a coordinate that is not finite are left out.
 * Local, cannot fail; a buffer that is too small is cut (base/text.h).
 */
#ifndef RUN_SVG_H
#define RUN_SVG_H

#include <stdbool.h>

#include "base/text.h"

/* Classes of the style sheet that svg_begin writes. */
#define SVG_BLUE   "blue"
#define SVG_ORANGE "orange"
#define SVG_GREEN  "green"
#define SVG_GRAY   "gray"

typedef enum { SVG_START, SVG_MIDDLE, SVG_END } SvgAnchor;

void svg_begin(Text *out, double width, double height);
void svg_end(Text *out);

/* style: words for the class attribute: a color above; for lines also "thin", "thick", "dashed"; for text
 * "title", "head", "label", "small", "white"; for shapes "pale", "hollow". Pixels, y downwards. */
void svg_line(Text *out, const char *style, double x1, double y1, double x2, double y2);
void svg_rect(Text *out, const char *style, double x, double y, double width, double height);
void svg_circle(Text *out, const char *style, double x, double y, double radius);
void svg_label(Text *out, const char *style, SvgAnchor anchor, double x, double y,
               const char *format, ...) PRINTF_LIKE(6, 7);
/* The same, turned to read upwards. */
void svg_label_up(Text *out, const char *style, double x, double y, const char *label);

/* One axis: values low .. high, on a logarithmic scale where `log` (low > 0 then). */
typedef struct {
    double low, high;
    bool log;
} SvgAxis;

/* A frame in pixels with its axes. */
typedef struct {
    double left, top, width, height;
    SvgAxis x, y;
} SvgPlot;

double svg_x(const SvgPlot *plot, double value);
double svg_y(const SvgPlot *plot, double value);
/* Frame with a headline above and names of both axes; either may be "". */
void svg_frame(Text *out, const SvgPlot *plot, const char *head, const char *x_name,
               const char *y_name);
/* A tick with its label, "%g"; on y also a line across the frame. */
void svg_tick_x(Text *out, const SvgPlot *plot, double value, const char *label);
void svg_tick_y(Text *out, const SvgPlot *plot, double value, const char *label);
/* Ticks of an axis at round numbers: on a logarithmic one at 1, or 1, 2 and 5 of each decade. */
void svg_ticks_y(Text *out, const SvgPlot *plot);
/* Points (n) of the plot, joined; with a marker each where radius > 0. */
void svg_curve(Text *out, const SvgPlot *plot, const char *style, const double *x, const double *y,
               int n, double radius);

#endif
