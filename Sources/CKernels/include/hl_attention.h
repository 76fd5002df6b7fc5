// Causal grouped-query attention over packed records.
#ifndef HEIRLOOM_ATTENTION_H
#define HEIRLOOM_ATTENTION_H
#endif
