#pragma once

#include <set>
#include <string>

#include "proto/inputs/model_folder.h"

namespace bitwright {

// Files of Python code that the folder's tokenizer or processor is made of: the modules that `auto_map` of
// tokenizer_config.json, processor_config.json or preprocessor_config.json names, and what they import from beside
// them. These configs are carried into an artifact, so their code is, too.
std::set<std::string> TokenizerCode(const ModelFolder& folder);

// The modules that `auto_map` of config.json names ("modeling_fast.py"), whether the folder holds them or not. They
// are code of the model itself: an artifact is computed, measured and loaded as the family that config.json names, so
// it carries neither them nor the auto_map.
std::set<std::string> ModelCode(const ModelFolder& folder);

}  // namespace bitwright
