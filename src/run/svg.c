#include "run/svg.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

enum { LABEL_MAX = 256 };

/* Colors of Okabe and Ito 2008, which most color-blind people tell apart. */
static const char style_sheet[] =
    "<style>\n"
    "text{font-family:Helvetica,Arial,'Liberation Sans','DejaVu Sans',sans-serif;fill:#222}\n"
    ".title{font-size:18px;font-weight:bold}.head{font-size:14px;font-weight:bold}\n"
    ".label{font-size:12px}.small{font-size:10.5px}text.gray{fill:#666}text.white{fill:#fff}\n"
    "line,polyline{fill:none;stroke:#222;stroke-width:1.2}\n"
    ".frame{fill:none;stroke:#555;stroke-width:1}.grid{stroke:#ddd;stroke-width:1}\n"
    ".thin{stroke-width:1}.thick{stroke-width:2.2}.dashed{stroke-dasharray:5 4}\n"
    "line.blue,polyline.blue{stroke:#0072b2}line.orange,polyline.orange{stroke:#d55e00}\n"
    "line.green,polyline.green{stroke:#009e73}line.gray,polyline.gray{stroke:#777}\n"
    "rect.blue,circle.blue{fill:#0072b2}rect.orange,circle.orange{fill:#d55e00}\n"
    "rect.green,circle.green{fill:#009e73}rect.gray,circle.gray{fill:#777}\n"
    "rect.pale{opacity:.18}circle.hollow{fill:#fff;stroke:#222;stroke-width:1.2}\n"
    "</style>\n";

void svg_begin(Text *out, double width, double height)
{
    text_add(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                  "<svg xmlns=\"http://www.w3.org/2000/svg\" version=\"1.1\" ");
    text_add(out, "width=\"%.4g\" height=\"%.4g\" viewBox=\"0 0 %.4g %.4g\">\n", width, height,
             width, height);
    text_add(out, "%s<rect width=\"%.4g\" height=\"%.4g\" style=\"fill:#fff\"/>\n", style_sheet,
             width, height);
}

void svg_end(Text *out)
{
    text_add(out, "</svg>\n");
}

void svg_line(Text *out, const char *style, double x1, double y1, double x2, double y2)
{
    if (isfinite(x1) && isfinite(y1) && isfinite(x2) && isfinite(y2)) {
        text_add(out, "<line class=\"%s\" x1=\"%.4g\" y1=\"%.4g\" x2=\"%.4g\" y2=\"%.4g\"/>\n",
                 style, x1, y1, x2, y2);
    }
}

void svg_rect(Text *out, const char *style, double x, double y, double width, double height)
{
    if (isfinite(x) && isfinite(y) && isfinite(width) && isfinite(height) && width >= 0 &&
        height >= 0) {
        text_add(out, "<rect class=\"%s\" x=\"%.4g\" y=\"%.4g\" width=\"%.4g\" height=\"%.4g\"/>\n",
                 style, x, y, width, height);
    }
}

void svg_circle(Text *out, const char *style, double x, double y, double radius)
{
    if (isfinite(x) && isfinite(y)) {
        text_add(out, "<circle class=\"%s\" cx=\"%.4g\" cy=\"%.4g\" r=\"%.4g\"/>\n", style, x, y,
                 radius);
    }
}

static void add_escaped(Text *out, const char *text)
{
    for (; *text != '\0'; text++) {
        switch (*text) {
        case '&':
            text_add(out, "&amp;");
            break;
        case '<':
            text_add(out, "&lt;");
            break;
        case '>':
            text_add(out, "&gt;");
            break;
        default:
            text_add(out, "%c", *text);
            break;
        }
    }
}

void svg_label(Text *out, const char *style, SvgAnchor anchor, double x, double y,
               const char *format, ...)
{
    static const char *const anchors[] = {
        [SVG_START] = "start", [SVG_MIDDLE] = "middle", [SVG_END] = "end"};
    char label[LABEL_MAX];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(label, sizeof label, format, args);
    va_end(args);
    if (isfinite(x) && isfinite(y)) {
        text_add(out, "<text class=\"%s\" x=\"%.4g\" y=\"%.4g\" text-anchor=\"%s\">", style, x, y,
                 anchors[anchor]);
        add_escaped(out, label);
        text_add(out, "</text>\n");
    }
}

void svg_label_up(Text *out, const char *style, double x, double y, const char *label)
{
    text_add(out,
             "<text class=\"%s\" transform=\"translate(%.4g %.4g) rotate(-90)\" "
             "text-anchor=\"middle\">",
             style, x, y);
    add_escaped(out, label);
    text_add(out, "</text>\n");
}

/* ---- plots ---- */

/* Where a value lies on its axis: 0 .. 1. */
static double part(const SvgAxis *axis, double value)
{
    if (axis->log) {
        return (log10(value) - log10(axis->low)) / (log10(axis->high) - log10(axis->low));
    }
    return (value - axis->low) / (axis->high - axis->low);
}

double svg_x(const SvgPlot *plot, double value)
{
    return plot->left + part(&plot->x, value) * plot->width;
}

double svg_y(const SvgPlot *plot, double value)
{
    return plot->top + (1 - part(&plot->y, value)) * plot->height;
}

void svg_frame(Text *out, const SvgPlot *plot, const char *head, const char *x_name,
               const char *y_name)
{
    const double middle = plot->left + plot->width / 2;

    svg_rect(out, "frame", plot->left, plot->top, plot->width, plot->height);
    svg_label(out, "head", SVG_START, plot->left, plot->top - 12, "%s", head);
    svg_label(out, "label", SVG_MIDDLE, middle, plot->top + plot->height + 38, "%s", x_name);
    svg_label_up(out, "label", plot->left - 48, plot->top + plot->height / 2, y_name);
}

void svg_tick_x(Text *out, const SvgPlot *plot, double value, const char *label)
{
    const double x = svg_x(plot, value);
    const double y = plot->top + plot->height;

    svg_line(out, "thin", x, y, x, y + 4);
    svg_label(out, "small", SVG_MIDDLE, x, y + 17, "%s", label);
}

void svg_tick_y(Text *out, const SvgPlot *plot, double value, const char *label)
{
    const double y = svg_y(plot, value);

    svg_line(out, "grid", plot->left, y, plot->left + plot->width, y);
    svg_line(out, "thin", plot->left - 4, y, plot->left, y);
    svg_label(out, "small", SVG_END, plot->left - 8, y + 4, "%s", label);
}

static void log_ticks(Text *out, const SvgPlot *plot)
{
    const double decades = log10(plot->y.high / plot->y.low);
    static const double steps[] = {1, 2, 5};
    char label[32];

    for (int e = (int)floor(log10(plot->y.low)); e <= (int)ceil(log10(plot->y.high)); e++) {
        for (int k = 0; k < (decades < 3 ? 3 : 1); k++) {
            const double value = steps[k] * pow(10, e);
            /* a tick on the edge may be off by a rounding */
            if (value >= plot->y.low * 0.999 && value <= plot->y.high * 1.001) {
                (void)snprintf(label, sizeof label, "%.4g", value);
                svg_tick_y(out, plot, value, label);
            }
        }
    }
}

void svg_ticks_y(Text *out, const SvgPlot *plot)
{
    const double span = plot->y.high - plot->y.low;
    char label[32];

    if (plot->y.log) {
        log_ticks(out, plot);
        return;
    }
    const double rough = pow(10, floor(log10(span / 4)));
    const double wanted = span / 4 / rough;
    const double step = rough * (wanted < 1.5 ? 1 : wanted < 3.5 ? 2 : wanted < 7.5 ? 5 : 10);
    const int last = (int)floor(plot->y.high / step + 1e-9);
    for (int i = (int)ceil(plot->y.low / step - 1e-9); i <= last; i++) {
        (void)snprintf(label, sizeof label, "%.4g", i * step);
        svg_tick_y(out, plot, i * step, label);
    }
}

void svg_curve(Text *out, const SvgPlot *plot, const char *style, const double *x, const double *y,
               int n, double radius)
{
    for (int i = 0; i + 1 < n; i++) {
        svg_line(out, style, svg_x(plot, x[i]), svg_y(plot, y[i]), svg_x(plot, x[i + 1]),
                 svg_y(plot, y[i + 1]));
    }
    for (int i = 0; radius > 0 && i < n; i++) {
        svg_circle(out, style, svg_x(plot, x[i]), svg_y(plot, y[i]), radius);
    }
}
