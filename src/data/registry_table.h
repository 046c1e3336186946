/* Published datasets: D4RL's gym-MuJoCo files (Fu et al. 2020, CC BY 4.0) and Minari's mujoco sets, and
 * what is known to be wrong with them. Bytes and SHA-256 are those of the TFDS checksum tables; rows as
 * counted in the files; defects as reported to D4RL (numbers of the reports). What is not known is 0 or
 * empty. docs/datasets.md repeats the defects (a test compares).
 */
#ifndef DATA_REGISTRY_TABLE_H
#define DATA_REGISTRY_TABLE_H

#define REGISTRY_D4RL_URL "http://rail.eecs.berkeley.edu/datasets/offline_rl"

/* name and file before their version, bytes, rows, SHA-256. Files: v0 gym_mujoco/FILE.hdf5, v1
 * gym_mujoco_v1/FILE-v1.hdf5, v2 alike. */
#define REGISTRY_D4RL_V0(X)                                                         \
    X("halfcheetah-random", "halfcheetah_random", 88909895, 1000000,                \
      "5ba6381942a5110069c78cdaabdeacf1847b970c5b2e72ea5be1756896363fa5")           \
    X("halfcheetah-medium-replay", "halfcheetah_mixed", 9016685, 101000,            \
      "61270f65dcadddae451607eeec68fdae50d0d6ae73fab185d9fc1979cc4f385d")           \
    X("halfcheetah-medium", "halfcheetah_medium", 86943361, 1000000,                \
      "fcaf602daa063c3031b9c36b777342a1ba669b41eaa6113258ecb9fb789768c3")           \
    X("halfcheetah-medium-expert", "halfcheetah_medium_expert", 174437297, 2000000, \
      "c9c90f6b9fca3caa662d6a1f89808171bdb4050bab1db05d24bd85d909a333f1")           \
    X("halfcheetah-expert", "halfcheetah_expert", 87495442, 1000000,                \
      "1959944d9dbff4a7e7ebcd38436a1fbf1599eda4b7e1f223c6157f7504e126d8")           \
    X("hopper-random", "hopper_random", 54351370, 1000000,                          \
      "667e8a78d3460d19d3104826ad3e56abc6b3c07b34e5c179c53865c3dcc6844e")           \
    X("hopper-medium-replay", "hopper_mixed", 10983879, 200920,                     \
      "901797e3f21a963b88ced7ab36ed8361ad548b470c38a0855bc265bb4dfb3de9")           \
    X("hopper-medium", "hopper_medium", 54258063, 1000000,                          \
      "3e6530f00ba134b375dbae56a2120d8e6d6d0afe33d402b0aca3ed3a09fca83b")           \
    X("hopper-medium-expert", "hopper_medium_expert", 65017623, 1200920,            \
      "3a024c1ecb4ff816963546d4423e2a57d8db85c9e0f4579aee9294e837d3fad0")           \
    X("hopper-expert", "hopper_expert", 54061232, 1000000,                          \
      "6fea535033d962eff1427d76d7b2e0e4f57af1d4921f7ef6d917779f2968fd84")           \
    X("walker2d-random", "walker2d_random", 82217081, 1000000,                      \
      "b68931aeb97c9c550f69c2054f2f303bd2a3621385001af82bf0db86fd04b2ed")           \
    X("walker2d-medium-replay", "walker_mixed", 8832937, 100930,                    \
      "d23588d4e07e58cbc276efea183edaa26eede5a44a1c2265adc8cdb6f68a56c7")           \
    X("walker2d-medium", "walker2d_medium", 84756933, 1000000,                      \
      "181a62086f3f287759201a9643e805b9e56438a8532a3915825dbaa6555bd173")           \
    X("walker2d-medium-expert", "walker2d_medium_expert", 166972341, 2000000,       \
      "62b612b2fe593142391b52c1ee04814ea8ba36df5de007969ec50b8b1455f245")           \
    X("walker2d-expert", "walker2d_expert", 82216946, 1000000,                      \
      "6b24651d8643f608bc15b579a2315562935bf06de073a73ec9fb6dfe2b385aa2")

#define REGISTRY_D4RL_V1(X)                                                             \
    X("halfcheetah-random", "halfcheetah_random", 152241884, 1000000, "")               \
    X("halfcheetah-medium-replay", "halfcheetah_medium_replay", 60486703, 202000, "")   \
    X("halfcheetah-medium", "halfcheetah_medium", 153775441, 1000000, "")               \
    X("halfcheetah-medium-expert", "halfcheetah_medium_expert", 307235270, 2000000, "") \
    X("halfcheetah-expert", "halfcheetah_expert", 154077632, 1000000, "")               \
    X("halfcheetah-full-replay", "halfcheetah_full_replay", 298849447, 0, "")           \
    X("hopper-random", "hopper_random", 95536011, 1000000, "")                          \
    X("hopper-medium-replay", "hopper_medium_replay", 58349502, 0, "")                  \
    X("hopper-medium", "hopper_medium", 96497748, 1000000, "")                          \
    X("hopper-medium-expert", "hopper_medium_expert", 193560687, 0, "")                 \
    X("hopper-expert", "hopper_expert", 97718262, 1000000, "")                          \
    X("hopper-full-replay", "hopper_full_replay", 192222683, 0, "")                     \
    X("walker2d-random", "walker2d_random", 138787195, 1000000, "")                     \
    X("walker2d-medium-replay", "walker2d_medium_replay", 88471563, 0, "")              \
    X("walker2d-medium", "walker2d_medium", 151232470, 1000000, "")                     \
    X("walker2d-medium-expert", "walker2d_medium_expert", 300621097, 0, "")             \
    X("walker2d-expert", "walker2d_expert", 150010029, 1000000, "")                     \
    X("walker2d-full-replay", "walker2d_full_replay", 292503698, 0, "")

#define REGISTRY_D4RL_V2(X)                                                         \
    X("halfcheetah-random", "halfcheetah_random", 237338037, 1000000,               \
      "25407aef85b5d16c0f36b4149341edb4acc6a9e88c1db529b2de19e7464874ba")           \
    X("halfcheetah-medium-replay", "halfcheetah_medium_replay", 59448533, 202000,   \
      "48d494a4770c11f48260736dec090b78bdca8375647ed4d24bfa5b6610c7f683")           \
    X("halfcheetah-medium", "halfcheetah_medium", 237727262, 1000000,               \
      "41324e8487a9556d8cfa4538827f8937f4d63dae3030825ebc9f3a726ed08ca0")           \
    X("halfcheetah-medium-expert", "halfcheetah_medium_expert", 474567252, 2000000, \
      "015db75dae5bbe8e94029b71fa0bafc2073365df0c94744e71031189f3f79c06")           \
    X("halfcheetah-expert", "halfcheetah_expert", 237464597, 1000000,               \
      "d9fe53bb994eb1e20a99b4fa3412cd76a1bb7966a7ff55e0fcbdd6081bd2965f")           \
    X("halfcheetah-full-replay", "halfcheetah_full_replay", 291381762, 0, "")       \
    X("hopper-random", "hopper_random", 152525345, 1000000,                         \
      "63103ef7059db4c0819bd054f4e83ff339030b50bcdb46bdbe50385f234b5054")           \
    X("hopper-medium-replay", "hopper_medium_replay", 75854457, 402000,             \
      "e121c5f7c9857a307baa9edc6a2c3b48e85fedb9ac316ecddd0f48ca7ef4e39b")           \
    X("hopper-medium", "hopper_medium", 152756557, 1000000,                         \
      "5bdf1bc4a713c82941de44633df669b36c89850b652a25985166796d25cf71a0")           \
    X("hopper-medium-expert", "hopper_medium_expert", 304537315, 1999906,           \
      "9d51ad87f8c905be3880d84c6140bcdb7fbf39a19e046a237f238ba34fec9e26")           \
    X("hopper-expert", "hopper_expert", 152427435, 1000000,                         \
      "01aa219a5f8eea5e639eccdc636ec2bf40e317159a95cf4bf6e985f16909941b")           \
    X("hopper-full-replay", "hopper_full_replay", 187998921, 0, "")                 \
    X("walker2d-random", "walker2d_random", 216109364, 1000000,                     \
      "4e863bb6090cf4a461548bd470564b32f1ae5b32ef3085f816b2ede7f092e7fa")           \
    X("walker2d-medium-replay", "walker2d_medium_replay", 86323963, 302000,         \
      "e75de96a4f77acf7d4e0d6fdf0d7ccb177c26c44bb4388e4fd99f543ccfa18db")           \
    X("walker2d-medium", "walker2d_medium", 232254996, 1000000,                     \
      "cf00f43add04c17fdfc2958dd581dea0851b2e5bedbe6fda073758a8f841aeda")           \
    X("walker2d-medium-expert", "walker2d_medium_expert", 462197079, 1999995,       \
      "6b8d7f868c45bbaedf460be797fb7271b46dee6ebe45fe7a64319f2005b59a04")           \
    X("walker2d-expert", "walker2d_expert", 230567195, 1000000,                     \
      "2985dc3d436a8baa10e8f43f946fe1d7c6337a4e4fbc65def70618093b18c59a")           \
    X("walker2d-full-replay", "walker2d_full_replay", 285115514, 0, "")

/* id, steps */
#define REGISTRY_MINARI(X)                     \
    X("mujoco/halfcheetah/simple-v0", 1000000) \
    X("mujoco/halfcheetah/medium-v0", 1000000) \
    X("mujoco/halfcheetah/expert-v0", 1000000) \
    X("mujoco/hopper/simple-v0", 999206)       \
    X("mujoco/hopper/medium-v0", 999404)       \
    X("mujoco/hopper/expert-v0", 999164)       \
    X("mujoco/walker2d/simple-v0", 999942)     \
    X("mujoco/walker2d/medium-v0", 999613)     \
    X("mujoco/walker2d/expert-v0", 999190)     \
    X("mujoco/ant/simple-v0", 999382)          \
    X("mujoco/ant/medium-v0", 999116)          \
    X("mujoco/ant/expert-v0", 2000000)

/* names with * for any letters but '/', sentence, source */
#define REGISTRY_DEFECTS(X)                                                                       \
    X("*-v0", "Timeouts are off by one: whole episodes have 999 rows.", "D4RL 40, 107")           \
    X("halfcheetah-*-v0", "One row is marked terminal, though HalfCheetah never ends.",           \
      "D4RL 40, 107")                                                                             \
    X("hopper-medium-expert-v0",                                                                  \
      "It holds the expert and the medium-replay rows, 1,200,920, not medium and expert.",        \
      "D4RL 19")                                                                                  \
    X("*-v1", "infos/qpos and infos/qvel are constant.", "D4RL 84")                               \
    X("hopper-medium-v1", "Its rows are those of hopper-expert-v1: the two files are swapped.",   \
      "D4RL 76")                                                                                  \
    X("hopper-expert-v1", "Its rows are those of hopper-medium-v1: the two files are swapped.",   \
      "D4RL 76")                                                                                  \
    X("hopper-medium-replay-v1", "Its returns are better than those of the medium set.",          \
      "D4RL 86")                                                                                  \
    X("*-v2",                                                                                     \
      "infos/qpos and infos/qvel were computed from the observations later; in copies from "      \
      "before July 2021 they are off by one row.",                                                \
      "D4RL 100, 105")                                                                            \
    X("*-medium-replay-v2",                                                                       \
      "Timeouts stand behind every 1,000 rows of the recorded training, not only where episodes " \
      "ended.",                                                                                   \
      "D4RL 162")

#endif
