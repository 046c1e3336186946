/* What manifest.json tells of a session: program and machine, ranks, hosts, dataset. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "run/session.h"

/* Names of all hosts, each once, in order of ranks; on rank 0. */
static void list_hosts(char *text, size_t size)
{
    enum { NAME = 64 };
    char mine[NAME] = "";
    size_t *sizes = NULL;
    char *all = NULL;
    const size_t ranks = (size_t)comm_size();

    text[0] = '\0';
    if (comm_local_rank() == 0) {
        (void)snprintf(mine, sizeof mine, "%s", comm_host());
    }
    if (comm_agree(mem_alloc(&sizes, ranks, sizeof *sizes, "hosts")) == OK &&
        comm_agree(mem_alloc(&all, ranks, NAME, "hosts")) == OK) {
        coll_sizes(NAME, sizes);
        coll_gather(mine, NAME, all, sizes);
        for (size_t r = 0; comm_rank() == 0 && r < ranks; r++) {
            const size_t used = strlen(text);
            if (all[r * NAME] != '\0') {
                (void)snprintf(text + used, size - used, "%s%s", used > 0 ? " " : "",
                               all + r * NAME);
            }
        }
    }
    mem_free(&sizes);
    mem_free(&all);
}

RunFacts session_facts(const Session *s, char hosts[SESSION_HOSTS_MAX])
{
    RunFacts facts = facts_here();

    list_hosts(hosts, SESSION_HOSTS_MAX);
    facts.hosts = hosts;
    facts.ranks = s->plan.ranks;
    facts.learners = s->plan.learners;
    facts.dataset = s->cfg.top.dataset;
    facts.dataset_digest = s->data.digest;
    return facts;
}
