// The system's libyaml (Debian: libyaml-dev). Only the event parser is used, and only by Manifests.
#include <yaml.h>
