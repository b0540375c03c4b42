using static TorchSharp.torch;

namespace Fusion.Oracle.Programs;

/// <summary>Whether a program has the same element types on both sides, step by step, when LibTorch computes in the types of ours.</summary>
internal static class TypeCheck
{
    /// <summary>The first step whose types differ, or null.</summary>
    public static string? Difference(OracleProgram program, NDArray[] inputs)
    {
        ProgramPlan plan = program.PlanFor(inputs);
        (Their.IsNative, Their.Amplitude) = (true, 0);
        set_default_dtype(ScalarType.Float32);
        try
        {
            using IDisposable pause = no_grad();
            for (int i = 0; i < program.Body.Length; i++)
            {
                NDArray[] operands = [.. program.Body[i].Operands.Select(k => plan.Values[k])];
                // An array of rank 0 is a number to LibTorch, whose type gives way.
                if (!plan.Steps[i].IsTyped || (operands.Any(static x => x.Rank == 0) && operands.Any(x => x.DType != operands[0].DType))) continue;
                if (Type(plan.Steps[i], operands) is not { } theirs) continue;
                DType ours = plan.Values[inputs.Length + i].DType;
                if (theirs != Their.Type(ours)) return $"{plan.Steps[i].OursText} of {string.Join(", ", operands.Select(static x => x.DType))} is {ours}, in LibTorch {theirs}";
            }
        }
        finally
        {
            Their.IsNative = false;
            set_default_dtype(ScalarType.Float64);
        }

        return null;
    }

    // Null where LibTorch does not have the operator for the types.
    private static ScalarType? Type(Step step, NDArray[] operands)
    {
        try
        {
            return step.Theirs([.. operands.Select(static x => Their.Of(x))]).dtype;
        }
        catch (System.Runtime.InteropServices.ExternalException)
        {
            return null;
        }
    }
}
