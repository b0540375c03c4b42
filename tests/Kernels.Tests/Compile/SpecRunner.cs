using System.Numerics;
using Fusion.Kernels;
using Fusion.Tests.Scalars;

namespace Fusion.Tests.Compile;

/// <summary>Runs a kernel description on test data: as one kernel, or step by step with the operators' eager loops (the oracle).</summary>
internal static class SpecRunner
{
    /// <summary>The bytes of every output.</summary>
    public static byte[][] Run<T>(KernelSpec spec, ElementKernel kernel, T[][] inputs, int length) where T : unmanaged, IFloatingPointIeee754<T>
    {
        using Operands operands = new();
        for (int i = 0; i < inputs.Length; i++) operands.AddInput(inputs[i].AsSpan(0, spec.Inputs[i].IsScalar ? 1 : length), spec.Inputs[i].IsMask);
        foreach (int output in spec.Outputs)
        {
            if (spec.IsMask(output)) operands.Add<byte>(new byte[length]);
            else operands.Add<T>(new T[length]);
        }
        operands.Run(kernel, 0, length);
        return [.. Enumerable.Range(0, spec.Outputs.Length).Select(i => Output<T>(operands, inputs.Length + i, spec.IsMask(spec.Outputs[i])))];
    }

    public static byte[][] StepByStep<T>(KernelSpec spec, int width, T[][] inputs, int length) where T : unmanaged, IFloatingPointIeee754<T>
    {
        DType type = spec.Is64 ? DType.Float64 : DType.Float32;
        using Operands operands = new();
        for (int i = 0; i < inputs.Length; i++)
        {
            T[] values = spec.Inputs[i].IsScalar ? [.. Enumerable.Repeat(inputs[i][0], length)] : inputs[i][..length];
            operands.AddInput<T>(values, spec.Inputs[i].IsMask);
        }
        for (int k = 0; k < spec.Steps.Length; k++)
        {
            KernelStep step = spec.Steps[k];
            if (step.Op is not { } op)
            {
                operands.Add<T>([.. Enumerable.Repeat(T.CreateTruncating(step.Constant), length)]);
                continue;
            }
            int[] arguments = [.. Enumerable.Range(0, op.Arity).Select(i => step[i]), spec.Inputs.Length + k];
            if (op.IsMask) operands.Add<byte>(new byte[length]);
            else operands.Add<T>(new T[length]);
            operands.Run(op.Loop(type, 0, width), 0, length, arguments);
        }
        byte[][] results = new byte[spec.Outputs.Length][];
        for (int i = 0; i < results.Length; i++)
        {
            int output = spec.Outputs[i];
            results[i] = Output<T>(operands, output, spec.IsMask(output));
            // An input mask may hold any byte; a stored one holds 0 or 1.
            if (spec.IsMask(output)) results[i] = [.. results[i].Select(b => b == 0 ? (byte)0 : (byte)1)];
        }
        return results;
    }

    private static byte[] Output<T>(Operands operands, int index, bool mask) where T : unmanaged, INumber<T> =>
        mask ? operands.Read<byte>(index) : Operands.OneNaN<T>(operands.Read<byte>(index));

    /// <summary>
    /// A random body over random inputs, some of them scalars and masks, with constants that are hard to print among its steps.
    /// CopySign is left out: it would show the sign of a NaN.
    /// </summary>
    public static KernelSpec RandomSpec(Random random, bool is64, int stepCount)
    {
        double[] constants = [0.0, -0.0, 0.1, -1.5, double.NaN, double.PositiveInfinity, double.NegativeInfinity, 1e-42, 3e38];
        List<KernelInput> inputs = [new(), new(IsMask: true)];
        for (int i = random.Next(4); i > 0; i--) inputs.Add(new KernelInput(random.Next(3) == 0, random.Next(3) == 0));
        ElementOp[] pool = [.. ElementOps.All.Where(op => op != ElementOps.CopySign)];
        List<KernelStep> steps = [];
        List<bool> masks = [.. inputs.Select(i => i.IsMask)];
        int Pick(bool mask)
        {
            int[] candidates = [.. Enumerable.Range(0, masks.Count).Where(v => masks[v] == mask)];
            // Mostly recent values: deep bodies rather than broad ones.
            return candidates[Math.Max(random.Next(candidates.Length), random.Next(candidates.Length))];
        }
        while (steps.Count < stepCount)
        {
            bool constant = random.Next(8) == 0;
            ElementOp op = pool[random.Next(pool.Length)];
            steps.Add(constant ? KernelStep.Of(constants[random.Next(constants.Length)]) : KernelStep.Of(op, [.. Enumerable.Range(0, op.Arity).Select(i => Pick(op.IsMaskInput(i)))]));
            masks.Add(!constant && op.IsMask);
        }
        int[] outputs = [.. Enumerable.Range(0, 1 + random.Next(3)).Select(_ => random.Next(masks.Count)), masks.Count - 1];
        return new KernelSpec(is64, [.. inputs], [.. steps], outputs);
    }

    /// <summary>Test data for the inputs of a description: random numbers with special ones among them.</summary>
    public static T[][] RandomInputs<T>(Random random, KernelSpec spec, int length) where T : unmanaged, IFloatingPointIeee754<T>
    {
        double[] special = [0.0, -0.0, double.NaN, double.PositiveInfinity, double.NegativeInfinity, 1e-45, 1, 1e38];
        T[] Values() => [.. Enumerable.Range(0, length).Select(_ => T.CreateTruncating(random.Next(10) == 0 ? special[random.Next(special.Length)] : (random.NextDouble() * 20) - 10))];
        return [.. Enumerable.Range(0, spec.Inputs.Length).Select(_ => Values())];
    }
}
