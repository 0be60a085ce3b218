/* cgroup_stats.h - what a cgroup's processes have used, as `events` prints it. Side: host. */
#ifndef MOSS_CGROUP_STATS_H
#define MOSS_CGROUP_STATS_H
#include <json-c/json.h>

/* The member "data" of a line of type "stats": times in nanoseconds, sizes in bytes. What the kernel does not
 * say (a controller is missing) is left out. The caller releases it; NULL when there is no memory. */
struct json_object *cgroup_stats(int cgroup_fd) __attribute__((warn_unused_result));

#endif
