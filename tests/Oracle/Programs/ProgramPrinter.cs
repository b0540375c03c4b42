using System.Globalization;
using System.Text;

namespace Fusion.Oracle.Programs;

/// <summary>A program as C#, for either side.</summary>
internal static class ProgramPrinter
{
    public static string Print(OracleProgram program, int[] sizes)
    {
        NDArray[] inputs = program.Draw(sizes);
        ProgramPlan plan = program.PlanFor(inputs);
        StringBuilder text = new();
        foreach (bool ours in new[] { true, false })
        {
            text.AppendLine(ours ? "// Fusion" : "// LibTorch, in Float64");
            string type = ours ? "NDArray" : "Tensor";
            for (int i = 0; i < inputs.Length; i++)
            {
                string array = $"Nd.Array<double>([{Step.Numbers(inputs[i])}]).Reshape((Shape)[{string.Join(", ", inputs[i].Shape.Dimensions.ToArray())}]).AsType(DType.{inputs[i].DType})";
                text.AppendLine(CultureInfo.InvariantCulture, $"{type} v{i} = {(ours ? array : $"Their.Of({array}, {(inputs[i].DType.IsFloat ? "true" : "false")})")};");
            }

            for (int i = 0; i < program.Body.Length; i++)
            {
                string call = Step.Call(ours ? plan.Steps[i].OursText : plan.Steps[i].TheirsText, program.Body[i].Operands.Select(static k => $"v{k}"));
                text.AppendLine(CultureInfo.InvariantCulture, $"{type} v{inputs.Length + i} = {call};    // {plan.Values[inputs.Length + i].DType} {plan.Values[inputs.Length + i].Shape}");
            }

            text.AppendLine(CultureInfo.InvariantCulture, $"return ({string.Join(", ", program.Results.Select(static r => $"v{r}"))});");
        }

        return text.ToString();
    }
}
