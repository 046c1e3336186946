/* A configuration as YAML text: what is taken is written and read again as the same. */
#include <string.h>

#include "config/config.h"
#include "fuzz/fuzz.h"
#include "run/tables.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char text[CONFIG_YAML_MAX];
    Config config;
    Config again;
    static bool started;

    if (!started) {
        tables_register();
        started = true;
    }
    if (config_parse(&config, "fuzz", (const char *)data, size) == OK) {
        const Status checked = config_check(&config);
        (void)checked;
        EXPECT(config_write(&config, NULL, text, sizeof text) == OK);
        EXPECT(config_parse(&again, "written", text, strlen(text)) == OK);
        EXPECT(memcmp(&config, &again, sizeof config) == 0);
    }
    return 0;
}
