using Fusion.Kernels;

namespace Fusion.Tests;

/// <summary>On large arrays the gradient rule of an element-wise row is one kernel, with the bits of its operators one by one.</summary>
[Collection(nameof(ProcessState))]
public class FusedRuleTests
{
    // Past the least size, and no multiple of a register.
    private static readonly Shape s_shape = (197, 211);

    public static TheoryData<string> Differentiable => [.. OpCases.All.Where(static c => (c.IsElementwise || c.Row.Terms is not null) && c.Order > 0).Select(static c => c.Title)];

    [Theory]
    [MemberData(nameof(Differentiable))]
    public void AFusedRuleHasTheBitsOfItsOperators(string title)
    {
        OpCase test = OpCases.Find(title);
        foreach (DType dtype in ResultTypes.Floats)
        {
            // All of one shape, each once as a row, and each once as one element.
            for (int small = -1; small < (test.IsElementwise && test.InputCount > 1 ? 2 * test.InputCount : 0); small++)
            {
                Shape[] shapes = [.. Enumerable.Range(0, test.InputCount).Select(i => i != small / 2 || small < 0 ? s_shape : small % 2 == 0 ? (Shape)s_shape[1] : default)];
                CaseGradient gradient = new(test, shapes, dtype);
                NDArray[] expected = Gradients(test, gradient, createGraph: true);
                for (int repeat = 0; repeat < 4; repeat++) Check(test, expected, Gradients(test, gradient, createGraph: false));
                FusionRuntime.NumThreads = 2;
                try
                {
                    Check(test, expected, Gradients(test, gradient, createGraph: false));
                }
                finally
                {
                    FusionRuntime.NumThreads = 1;
                }
            }
        }
    }

    [Theory]
    [InlineData("Relu", 2)]
    [InlineData("Sigmoid", 3)]
    [InlineData("Tanh", 3)]
    [InlineData("Silu", 6)]
    [InlineData("Negate", 0)]
    [InlineData("SumOfAbsoluteDifferences", 3)]
    [InlineData("SumOfHuber", 4)]
    [InlineData("AbsoluteDifference", 3)]
    [InlineData("AbsoluteDifference", 3, true)]
    public void ALargeGradientIsOneKernelFromTheThirdCallOn(string row, int operators, bool isStretched = false)
    {
        Op op = OpTable.Rows.Single(r => r.Name == row);
        NDArray x = Nd.Random.Normal(0, 1, isStretched ? s_shape[1] : s_shape, DType.Float64), other = Nd.Random.Normal(0, 1, s_shape, DType.Float64);
        x.AttachGrad();
        List<KernelSpec> asked = [];
        KernelCompiler.FaultOfThread = spec =>
        {
            asked.Add(spec);
            return null;
        };
        try
        {
            for (int call = 0; call < 4; call++) Backward();
            asked.Clear();
            Backward();
        }
        finally
        {
            KernelCompiler.FaultOfThread = null;
        }

        if (operators == 0) Assert.Empty(asked);
        else Assert.Equal(operators, Assert.Single(asked).Steps.ToArray().Count(static s => s.Op is not null));

        void Backward()
        {
            NDArray y;
            NDArray[] inputs = [x, other, Nd.Scalar(0.5, DType.Float64)];
            using (Autograd.Record()) y = op.Apply(inputs[..op.Arity], op.Terms is null ? null : Fusion.Reductions.Attributes(row, x, null, false));
            y.Backward();
        }
    }

    [Fact]
    public void ARuleThatCannotBeCompiledRunsOperatorByOperator()
    {
        NDArray x = Nd.Random.Normal(0, 1, s_shape);
        x.AttachGrad();
        NDArray[] gradients = new NDArray[2];
        for (int i = 0; i < 2; i++)
        {
            if (i == 1) KernelCompiler.FaultOfThread = static _ => "a test";
            try
            {
                for (int call = 0; call < 4; call++)
                {
                    NDArray y;
                    using (Autograd.Record()) y = Nd.Tanh(x);
                    y.Backward();
                }
            }
            finally
            {
                KernelCompiler.FaultOfThread = null;
            }

            gradients[i] = x.Grad!.Copy();
        }

        Assert.Null(Bits.Difference([gradients[0]], [gradients[1]]));
    }

    private static void Check(OpCase test, NDArray[] expected, NDArray[] actual)
    {
        string? difference = Bits.Difference(expected, actual);
        Assert.True(difference is null, $"{test}: {difference}");
    }

    private static NDArray[] Gradients(OpCase test, CaseGradient gradient, bool createGraph)
    {
        NDArray[] inputs = gradient.Inputs, variables = gradient.Variables;
        foreach (NDArray variable in variables) variable.AttachGrad();
        NDArray head;
        using (Autograd.Record(trainMode: false)) head = test.Call(inputs);
        return head.Source is null ? [] : Autograd.Grad([head], variables, [head.Detach()], createGraph: createGraph, allowUnused: true);
    }
}
