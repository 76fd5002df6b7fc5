import StageInterface

/// The stages that this program implements itself; each has a contract of the same name under `stages/`.
package enum NativeStages {
  package static let all: [StageRunner] = [
    StageRunner(ModelImport.self),
    StageRunner(ModelInit.self),
    StageRunner(TokenizerTrain.self),
    StageRunner(DataTasks.self),
    StageRunner(DataImport.self),
    StageRunner(DataMix.self),
    StageRunner(DataInspect.self),
    StageRunner(DataRewrite.self),
    StageRunner(Tokenize.self),
    StageRunner(TrainSFT.self),
    StageRunner(RolloutStage.self),
    StageRunner(TrainRFT.self),
    StageRunner(FilterRIF.self),
    StageRunner(FilterAccepted.self),
    StageRunner(Evaluate.self),
    StageRunner(Score.self),
    StageRunner(ScoreLoss.self),
    StageRunner(ScoreFisher.self),
    StageRunner(ScoreTokens.self),
    StageRunner(ScoreDrift.self),
    StageRunner(AverageWiSEFT.self),
    StageRunner(AverageLinear.self),
    StageRunner(AverageSlerp.self),
    StageRunner(AverageTaskArithmetic.self),
    StageRunner(AverageTIES.self),
    StageRunner(AverageDARE.self),
    StageRunner(MergeLoRA.self),
    StageRunner(ReportScores.self),
    StageRunner(ReportForgetting.self),
    StageRunner(ReportPareto.self),
    StageRunner(GateStage.self),
    StageRunner(ModelPromote.self),
  ]
}
