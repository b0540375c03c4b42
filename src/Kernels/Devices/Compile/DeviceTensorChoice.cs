using System.Linq.Expressions;

namespace Fusion.Kernels;

/// <summary>
/// The beginning of a kernel over many tensors: every group of threads works on one of them, and finds out on which by the number of the first group of
/// each. What it chooses are arguments, so all threads of a group take the same branches. PyTorch's multi_tensor_apply does the same.
/// </summary>
internal sealed class DeviceTensorChoice
{
    private readonly List<ParameterExpression> _parameters = [];
    private readonly ParameterExpression _group = Variable("group"), _first = Variable("from"), _end = Variable("until");

    /// <param name="count">The variable for the number of elements.</param>
    /// <param name="operands">The variables for the operands.</param>
    /// <param name="tensors">How many there are to choose from.</param>
    public DeviceTensorChoice(ParameterExpression count, ParameterExpression[] operands, int tensors)
    {
        ParameterExpression[] firsts = [.. Enumerable.Range(0, tensors).Select(t => Variable("first" + t))];
        Expression choice = Expression.Empty();
        List<ParameterExpression>[] sets = new List<ParameterExpression>[tensors];
        for (int t = tensors - 1; t >= 0; t--)
        {
            List<ParameterExpression> set = sets[t] = [Expression.Parameter(typeof(int), "n" + t)];
            for (int k = 0; k < operands.Length; k++) set.Add(Expression.Parameter(operands[k].Type, $"{operands[k].Name![0]}{(t * operands.Length) + k}"));
            set.Add(firsts[t]);
            List<Expression> chosen = [Expression.Assign(count, set[0]), Expression.Assign(_first, firsts[t])];
            for (int k = 0; k < operands.Length; k++) chosen.Add(Expression.Assign(operands[k], set[k + 1]));
            chosen.Add(Expression.Assign(_end, t == tensors - 1 ? DeviceRow(nameof(DeviceRowMemory.Groups)) : firsts[t + 1]));
            Expression choose = Expression.Block(typeof(void), chosen);
            choice = t == tensors - 1 ? choose : Expression.IfThenElse(Expression.LessThan(_group, firsts[t + 1]), choose, choice);
        }

        foreach (List<ParameterExpression> set in sets) _parameters.AddRange(set);
        Statements = [Expression.Assign(_group, DeviceRow(nameof(DeviceRowMemory.GroupIndex))), choice];
    }

    /// <summary>Parameters of the kernel: for each tensor its number of elements, its operands and its first group.</summary>
    public IReadOnlyList<ParameterExpression> Parameters => _parameters;

    public IReadOnlyList<Expression> Statements { get; }

    /// <summary>The number of this thread among those of the tensor.</summary>
    public Expression Thread => DeviceTypes.Call(nameof(DeviceMemory.ThreadAfter), Expression.Subtract(_group, _first));

    /// <summary>The number of this group among those of the tensor.</summary>
    public Expression GroupOfTensor => Expression.Subtract(_group, _first);

    /// <summary>Threads of the tensor.</summary>
    public Expression Threads => DeviceTypes.Call(nameof(DeviceMemory.ThreadsOf), Expression.Subtract(_end, _first));

    private static MethodCallExpression DeviceRow(string method) => ScalarTarget.Call(typeof(DeviceRowMemory), method);

    private static ParameterExpression Variable(string name) => Expression.Variable(typeof(int), name);
}
