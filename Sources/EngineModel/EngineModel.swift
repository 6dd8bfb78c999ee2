// EngineModel
