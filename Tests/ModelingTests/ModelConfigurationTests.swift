import JSONValues
import Modeling
import Testing

@Suite struct ModelConfigurationTests {
  private static let smallest =
    #""architectures": ["LlamaForCausalLM"], "vocab_size": 32, "hidden_size": 8, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2"#

  private func configuration(_ members: String) throws -> ModelConfiguration {
    try ModelConfiguration(json: JSONValue.parse("{\(members)}"))
  }

  @Test func `what is left out has the values of transformers`() throws {
    let c = try configuration(Self.smallest)
    #expect(c.family == .llama)
    #expect(c.keyValueHeads == 2)
    #expect(c.headDimension == 4)
    #expect(c.ropeTheta == 10000)
    #expect(c.tieEmbeddings == false)
    #expect(c.normEpsilon == 1e-6)
  }

  @Test func `old and new spellings of the rotary embedding are one configuration`() throws {
    let old = try configuration(
      Self.smallest + #", "rope_theta": 5e5, "rope_scaling": {"type": "linear", "factor": 2.0}"#)
    let new = try configuration(
      Self.smallest + #", "rope_parameters": {"rope_theta": 500000, "rope_type": "linear", "factor": 2}"#)
    #expect(old == new)
    #expect(new.ropeTheta == 500000)
    #expect(new.ropeScaling == .linear(factor: 2))
  }

  @Test func `written and read again it is the same, unknown members included`() throws {
    let c = try configuration(Self.smallest + #", "initializer_range": 0.02, "eos_token_id": [1, 2], "use_cache": true"#)
    #expect(c.eosTokens == [1, 2])
    let json = c.json(dtype: "bfloat16")
    #expect(json["initializer_range"] == 0.02)
    #expect(json["torch_dtype"] == "bfloat16")
    #expect(try ModelConfiguration(json: json) == c)
  }

  @Test func `a head that attention cannot hold is refused`() throws {
    #expect(try configuration(Self.smallest + #", "head_dim": 256"#).headDimension == 256)
    #expect(throws: ModelError("head_dim 258 is not supported; at most 256 is")) {
      try configuration(Self.smallest + #", "head_dim": 258"#)
    }
  }

  @Test(arguments: [
    (
      #""architectures": ["MambaForCausalLM"]"#,
      "architecture 'MambaForCausalLM' is not supported; supported: LlamaForCausalLM, Qwen2ForCausalLM, Qwen3ForCausalLM"
    ),
    (#""model_type": "gpt2""#, "model_type 'gpt2' is not supported; supported: llama, qwen2, qwen3"),
    (smallest + #", "hidden_act": "gelu""#, "hidden_act 'gelu' is not supported; supported: silu"),
    (smallest + #", "attention_bias": true"#, "attention_bias true is not supported for llama"),
    (smallest + #", "num_key_value_heads": 3"#, "num_attention_heads 2 is not a multiple of num_key_value_heads 3"),
    (
      smallest + #", "rope_scaling": {"rope_type": "yarn", "factor": 2}"#,
      "rope_type 'yarn' is not supported; supported: default, linear, llama3"
    ),
    (smallest + #", "eos_token_id": 32"#, "token id 32 lies outside the vocabulary of 32"),
    (smallest + #", "rms_norm_eps": -1"#, "'rms_norm_eps' must be a positive number, not -1"),
    (#""model_type": "llama", "vocab_size": 5"#, "config.json lacks 'hidden_size'"),
    (#""model_type": "llama", "vocab_size": 99999999999"#, "'vocab_size' must be an integer from 1 to 16777216, not 99999999999"),
  ])
  func `what would be computed otherwise is refused in plain words`(members: String, message: String) {
    #expect(throws: ModelError(message)) { try configuration(members) }
  }

  @Test func `query, key and value are adjacent, and so are gate and up`() throws {
    var c = try configuration(Self.smallest)
    c.family = .qwen2
    let layout = ParameterLayout(c)
    for part in ["weight", "bias"] {
      let names = ["q", "k", "v"].map { "model.layers.0.self_attn.\($0)_proj.\(part)" }
      let entries = try names.map { try #require(layout[$0]) }
      #expect(entries[0].range.upperBound == entries[1].offset)
      #expect(entries[1].range.upperBound == entries[2].offset)
    }
    let gate = try #require(layout["model.layers.0.mlp.gate_proj.weight"])
    #expect(gate.range.upperBound == layout["model.layers.0.mlp.up_proj.weight"]?.offset)
    #expect(layout["lm_head.weight"] != nil)
    c.tieEmbeddings = true
    #expect(ParameterLayout(c)["lm_head.weight"] == nil)
  }
}
